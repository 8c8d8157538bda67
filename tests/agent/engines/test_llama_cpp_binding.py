"""llama.cpp's calls without the rest of the package."""

import subprocess
import sys

import pytest

pytest.importorskip("llama_cpp")

_WITHOUT_NUMPY = """
import sys
from edgeprof_agent.engines import llama_cpp
llama_cpp.open_engine()
assert "numpy" not in sys.modules
"""
_THE_WHOLE_AFTER_IT = """
from edgeprof_agent.engines.llama_cpp_binding import llama_cpp as calls
import llama_cpp
assert llama_cpp.Llama and llama_cpp.llama_cpp is calls
"""
_THE_WHOLE_BEFORE_IT = """
import llama_cpp
from edgeprof_agent.engines.llama_cpp_binding import llama_cpp as calls
assert llama_cpp.llama_cpp is calls
"""


@pytest.mark.parametrize("program", [_WITHOUT_NUMPY, _THE_WHOLE_AFTER_IT, _THE_WHOLE_BEFORE_IT])
def test_the_calls_come_alone_and_with_the_whole(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
