# Two commands do all set-up on a fresh machine: `make profile` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help profile test prove check format bench proto proto-check dashboards dashboards-check packages constraints system-packages benchmark-packages llama-programs clean
.PHONY: runners runners-kalosm runners-check test-runners prove-runners

PYTHON ?= python3
BIN := .venv/bin
EXTRAS := models,hub,collector,llama-cpp-python
TEST_EXTRAS := mlx,mistralrs
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# cargo's features: "cuda" or "metal" has Candle compute on a GPU.
FEATURES ?=
PROTOS := $(wildcard proto/edgeprof/v1/*.proto)
PROTOC := cd proto && ../$(BIN)/python -m grpc_tools.protoc -I.
# What the collector speaks with other programs is its own.
REMOTE_WRITE := edgeprof_collector/remote_write/write_request.proto
PROTOC_COLLECTOR := cd collector && ../$(BIN)/python -m grpc_tools.protoc -I.

help:            ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

profile: .venv/ready            ## Set up, then profile this device with a synthetic model (ARGS="..." are passed on)
	$(BIN)/edgeprof profile $(ARGS)

test: .venv/ready-tests system-packages test-runners llama-programs  ## Set up, then run the tests (ARGS="..." are passed on)
	$(BIN)/pytest $(ARGS)

prove: .venv/ready-tests system-packages prove-runners   ## Run the long proofs whole
	$(BIN)/pytest --prove -m prove $(ARGS)

check: .venv/ready-tests proto-check dashboards-check       ## Lint, types, import contracts, generated code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin agent
	$(BIN)/mypy --python-version 3.11 --cache-dir .mypy_cache/dashboards packaging/dashboards
	$(BIN)/lint-imports

format: .venv/ready-tests       ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/ready-tests benchmark-packages    ## Measure the figures that README.md and docs/ quote
	$(BIN)/python -m benchmarks

runners: .venv/bin/python       ## Build the engines that are Rust programs: Candle (FEATURES=cuda or metal for a GPU)
	cd agent/runners && cargo build --quiet --release --package edgeprof-candle --features "$(FEATURES)"
	install -m 755 build/runners/release/edgeprof-candle .venv/bin/

runners-kalosm: .venv/bin/python           ## Build Kalosm's program as well
	cd agent/runners && cargo build --quiet --release --package edgeprof-kalosm
	install -m 755 build/runners/release/edgeprof-kalosm .venv/bin/

runners-check:   ## Lint and unit tests of the Rust programs
	cd agent/runners && cargo fmt --all --check
	cd agent/runners && cargo clippy --quiet --workspace --exclude edgeprof-kalosm --all-targets -- --deny warnings
	cd agent/runners && cargo test --quiet --package edgeprof-protocol

# Without cargo, or without its registry, the tests that need these programs are skipped.
test-runners:
	@if command -v cargo >/dev/null && $(MAKE) --no-print-directory runners; then :; \
	else echo "the Rust programs are not built: the tests that need them are skipped" >&2; fi

prove-runners: test-runners
	@if command -v cargo >/dev/null && $(MAKE) --no-print-directory runners-kalosm; then :; \
	else echo "Kalosm's program is not built: its proofs are skipped" >&2; fi

proto: .venv/ready-tests        ## Regenerate the messages
	$(PROTOC) --python_out=. --pyi_out=. $(PROTOS:proto/%=%)
	$(PROTOC) --grpc_python_out=. edgeprof/v1/uplink.proto
	$(PROTOC_COLLECTOR) --python_out=. --pyi_out=. $(REMOTE_WRITE)

proto-check: .venv/ready-tests
	@rm -rf build/proto && mkdir -p build/proto
	@$(PROTOC) --python_out=../build/proto --pyi_out=../build/proto $(PROTOS:proto/%=%)
	@$(PROTOC) --grpc_python_out=../build/proto edgeprof/v1/uplink.proto
	@rm -rf build/collector && mkdir -p build/collector
	@$(PROTOC_COLLECTOR) --python_out=../build/collector --pyi_out=../build/collector $(REMOTE_WRITE)
	@for made in $$(cd build && find proto collector -name '*_pb2*'); do \
	    cmp "build/$$made" "$$made" || { echo "$$made is not current: run make proto"; exit 1; }; \
	done

dashboards: .venv/ready-tests   ## Write packaging/grafana/*.json anew from packaging/dashboards/
	cd packaging && ../$(BIN)/python -m dashboards

# The library that they are made with wants Python 3.11.
dashboards-check: .venv/ready-tests
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    cd packaging && ../$(BIN)/python -m dashboards --check; \
	else echo "Python 3.10: whether packaging/grafana is current is not checked" >&2; fi

packages: .venv/ready-tests     ## Build dist/: a wheel, and Debian packages for amd64 and arm64
	$(BIN)/python packaging/build_packages.py $(ARGS)

constraints:     ## Resolve every dependency again for Python 3.10 to 3.13 (needs python3.10 ... python3.13)
	packaging/pin.sh

llama-programs: .venv/ready-tests     ## Build llama-server and llama-bench for the tests; three minutes, once
	@if command -v cmake >/dev/null && command -v c++ >/dev/null; then benchmarks/build_llama_programs.sh || \
	    echo "llama.cpp's programs cannot be built: the tests that need it are skipped" >&2; \
	else echo "no cmake or no C++ compiler: the tests that need llama-server and llama-bench are skipped" >&2; fi

system-packages:
	@packaging/system-packages.sh

benchmark-packages:
	@packaging/benchmark-packages.sh

clean:           ## Remove what was built, the virtual environment included
	rm -rf .venv build dist

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing edgeprof into .venv; the first time, llama-cpp-python is built from source (about 6 minutes)."
	$(INSTALL) --editable '.[$(EXTRAS)]'
	@touch $@

.venv/ready-tests: .venv/ready packaging/dev-requirements.py
	$(BIN)/python packaging/dev-requirements.py > .venv/dev-requirements.txt
	$(INSTALL) --editable '.[$(EXTRAS),$(TEST_EXTRAS)]' --requirement .venv/dev-requirements.txt
	@touch $@
