"""When llama.cpp was at work, and when the Python around its calls was: told by stand-ins for the calls, in C."""

import ctypes
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import llama_cpp

_SOURCE = Path(__file__).with_name("call_clock.c")
_TIMES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class TokenTimes:
    """Nanoseconds of each token but the first: in the calls that compute it, and outside since those of the last."""

    inside_ns: list[int]
    outside_ns: list[int]


class CallClock:
    """Keeps the times of the calls of one step after the other."""

    def __init__(self, library: ctypes.CDLL, most_tokens: int) -> None:
        self._times_ns = np.zeros((most_tokens, _TIMES_PER_TOKEN), dtype=np.int64)
        ctypes.c_void_p.in_dll(library, "calls").value = self._times_ns.ctypes.data
        ctypes.c_int32.in_dll(library, "room").value = most_tokens
        self._count = ctypes.c_int32.in_dll(library, "count")

    def restart(self) -> None:
        """Forget what was kept."""
        self._count.value = 0

    def token_times(self) -> TokenTimes:
        """Return the times of the tokens since the last restart."""
        decode_start, decode_end, synchronize_start, synchronize_end = self._times_ns[: self._count.value].T
        inside = (decode_end - decode_start) + (synchronize_end - synchronize_start)
        outside = decode_start[1:] - synchronize_end[:-1] + (synchronize_start - decode_end)[1:]
        return TokenTimes(inside[1:].tolist(), outside.tolist())


@contextmanager
def clocked_calls(most_tokens: int) -> Iterator[CallClock]:
    """Have `llama_decode` and `llama_synchronize` of llama-cpp-python clocked until the end of the block."""
    real = {name: getattr(llama_cpp, f"llama_{name}") for name in ("decode", "synchronize")}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "call_clock.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", program, _SOURCE], check=True)
        library = ctypes.CDLL(str(program))
    for name, function in real.items():
        ctypes.c_void_p.in_dll(library, f"real_{name}").value = ctypes.cast(function, ctypes.c_void_p).value
        _replace(name, _alike(library[f"clocked_{name}"], function))
    try:
        yield CallClock(library, most_tokens)
    finally:
        for name, function in real.items():
            _replace(name, function)


def _alike(stand_in: Any, function: Any) -> Any:
    stand_in.argtypes, stand_in.restype = function.argtypes, function.restype
    return stand_in


def _replace(name: str, function: Any) -> None:
    setattr(llama_cpp, f"llama_{name}", function)
