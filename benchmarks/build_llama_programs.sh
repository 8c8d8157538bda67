#!/usr/bin/env bash
# Build llama-server and llama-bench from the llama.cpp source inside llama-cpp-python's source package, at the version
# that is installed, on the very library that the wheel brings, and leave them in build/llama-cpp. Three minutes of
# two cores; nothing is done where they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
version=$("$python" -c 'import llama_cpp; print(llama_cpp.__version__)' 2>/dev/null)
folder=$PWD/build/llama-cpp
if [ -x "$folder/llama-server" ] && [ "$(cat "$folder/version" 2>/dev/null)" = "$version" ]; then
    exit 0
fi
libraries=$("$python" -c 'import importlib.util, pathlib
print(pathlib.Path(importlib.util.find_spec("llama_cpp").origin).parent / "lib")')
source=$folder/llama_cpp_python-$version
mkdir -p "$folder"
"$python" -m pip download --quiet --no-deps --no-binary llama-cpp-python --dest "$folder" "llama-cpp-python==$version"
tar -xzf "$source.tar.gz" -C "$folder"
cmake -S benchmarks/llama_programs_build -B "$folder/cmake" -DCMAKE_BUILD_TYPE=Release \
    -DLLAMA_CPP="$source/vendor/llama.cpp" -DLLAMA_LIBRARIES="$libraries" >"$folder/build.log"
cmake --build "$folder/cmake" --target llama-server llama-bench --parallel "$(nproc)" >>"$folder/build.log" 2>&1
mv "$folder/cmake/llama-server" "$folder/cmake/llama-bench" "$folder/"
echo "$version" >"$folder/version"
rm -r "$source" "$source.tar.gz" "$folder/cmake"
