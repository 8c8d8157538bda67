"""Where the child starts: under other interpreters, and beside engines that do not work."""

import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof_agent.workload.engine_launch import CHILD
from tests.agent.engines.interpreters import other_interpreters


def first_message(folder: Path, binding: str) -> str:
    """What the child says first when this stands in for the library of llama-cpp-python."""
    (folder / "llama_cpp").mkdir()
    (folder / "llama_cpp" / "__init__.py").write_text("from .llama_cpp import *")
    (folder / "llama_cpp" / "llama_cpp.py").write_text(binding)
    with subprocess.Popen(
        [sys.executable, str(CHILD), "llama-cpp-python"],
        env={"PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        message = child.stdout.readline()
        assert child.wait() == 1
    return message


@pytest.mark.parametrize("python", list(other_interpreters().values())[:1] or [""])
def test_every_file_is_source_of_the_oldest_python(python: str) -> None:
    if not python:
        pytest.skip("no other Python from 3.8 on was found, neither on PATH nor under pyenv")
    files = sorted(str(path) for path in CHILD.parent.glob("*.py"))
    check = "import sys; [compile(open(path, encoding='utf-8').read(), path, 'exec') for path in sys.argv[1:]]"
    assert subprocess.run([python, "-c", check, *files], check=False).returncode == 0


@pytest.mark.parametrize(
    ("binding", "cause"),
    [
        ("raise RuntimeError('Failed to load\\nlibllama.so')", "Failed to load libllama.so"),
        ("raise OSError('libcudart.so.12: no such file')", "libcudart.so.12: no such file"),
    ],
)
def test_a_library_that_does_not_load_is_named(tmp_path: Path, binding: str, cause: str) -> None:
    expected = f"the engine llama-cpp-python cannot be loaded by {sys.executable}: {cause}"
    assert first_message(tmp_path, binding) == f'{{"type":"error","id":0,"cause":"{expected}"}}\n'


def test_a_module_that_a_library_lacks_is_named(tmp_path: Path) -> None:
    message = first_message(tmp_path, "import numpi")
    assert f"is not installed for {sys.executable}, where the module numpi is missing: pip install" in message


def test_a_library_that_is_too_old_is_named(tmp_path: Path) -> None:
    metadata = tmp_path / "llama_cpp_python-0.3.2.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: 0.3.2\n")
    old = "GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0 = 0, 1, 8, 2\n"
    assert "llama-cpp-python 0.3.2 is too old: pip install --upgrade" in first_message(tmp_path, old)
