proto:
	 cd proto && ../.venv/bin/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. edgeprof/v1/*.proto && ../.venv/bin/python -m grpc_tools.protoc -I. --grpc_python_out=. edgeprof/v1/uplink.proto
.PHONY: proto
