#!/usr/bin/env bash
# Build llama-bench from the llama.cpp source inside llama-cpp-python's source package, at the version that is
# installed, and leave it in build/llama-bench/llama-bench. It is run with the wheel's own libllama on its library
# path, so that the engine and llama-bench are timed on the very same library.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
version=$("$python" -c 'import llama_cpp; print(llama_cpp.__version__)' 2>/dev/null)
folder=build/llama-bench
if [ -x "$folder/llama-bench" ] && [ "$(cat "$folder/version" 2>/dev/null)" = "$version" ]; then
    exit 0
fi
mkdir -p "$folder"
"$python" -m pip download --quiet --no-deps --no-binary llama-cpp-python --dest "$folder" "llama-cpp-python==$version"
tar -xzf "$folder/llama_cpp_python-$version.tar.gz" -C "$folder"
cmake -S "$folder/llama_cpp_python-$version/vendor/llama.cpp" -B "$folder/cmake" -DCMAKE_BUILD_TYPE=Release \
    -DBUILD_SHARED_LIBS=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_CURL=OFF >"$folder/build.log"
cmake --build "$folder/cmake" --target llama-bench --parallel "$(nproc)" >>"$folder/build.log"
cp "$folder/cmake/bin/llama-bench" "$folder/"
echo "$version" >"$folder/version"
rm -r "$folder/llama_cpp_python-$version" "$folder/llama_cpp_python-$version.tar.gz"
