#!/usr/bin/env bash
# Make constraints.txt anew: resolve everything once per Python version, then merge.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 3.10 3.11 3.12 3.13; do
    "python$version" -m venv "$work/$version"
    pip="$work/$version/bin/python -m pip"
    $pip install --quiet --upgrade pip
    .venv/bin/python packaging/dev-requirements.py >"$work/dev.txt"
    $pip install --quiet --dry-run --ignore-installed --report "$work/$version.json" \
        '.[models,hub,collector,llama-cpp-python,mlx,mistralrs]' --requirement "$work/dev.txt" hatchling
done
.venv/bin/python packaging/pin.py "$work"/3.*.json >constraints.txt
