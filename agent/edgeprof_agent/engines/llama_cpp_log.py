"""What llama.cpp says while it works: its errors, and the sizes of its buffers."""

from __future__ import annotations

import ctypes
import functools
import re
import sys
import weakref
from typing import Any

from .llama_cpp_binding import llama_cpp

# enum ggml_log_level in ggml.h
_DEBUG, _WARNING, _ERROR, _CONTINUED = 1, 3, 4, 5
# "llama_kv_cache:        CPU KV buffer size =     0.25 MiB": function, buffer, kind, size.
_BUFFER_SIZE = re.compile(r": +(\S+) +(KV|RS|compute|output) buffer size = +([0-9.]+) MiB")
_FLASH_ATTENTION = re.compile(r"Flash Attention (enabled|disabled)")
_FUNCTION = re.compile(r"^\w+: ")
_LOADING = re.compile(r"^error loading model: ")


@functools.lru_cache(maxsize=None)
def _nobody() -> Any:
    """A receiver that drops everything, and is never dropped itself."""
    return llama_cpp.llama_log_callback(lambda _level, _text, _user_data: None)


# What llama_decode returns, from llama.h; what is below -1 is fatal.
_DECODE_FAILURES = {1: "no room in the KV cache", 2: "aborted", -1: "invalid batch"}


class LlamaLog:
    """Receives llama.cpp's log and keeps what is worth keeping since the last `clear`.

    llama.cpp calls no Python while it decodes without complaint, so this costs the measured time nothing.
    Warnings and errors go on to standard error.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.errors: list[str] = []
        # llama.cpp holds the address only: the callback is kept here, and taken back before it goes.
        self._callback = llama_cpp.llama_log_callback(self._receive)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(None))
        weakref.finalize(self, llama_cpp.llama_log_set, _nobody(), ctypes.c_void_p(None))

    def clear(self) -> None:
        """Forget everything heard so far."""
        self.lines.clear()
        self.errors.clear()

    def cause(self, otherwise: str) -> str:
        """The first error since the last `clear`, which is the innermost, without its function's name."""
        text = self.errors[0] if self.errors else otherwise
        for prefix in (_FUNCTION, _LOADING, _FUNCTION):
            text = prefix.sub("", text)
        return text.replace("std::bad_alloc", "out of memory")

    def buffer_bytes(self, *kinds: str) -> int | None:
        """Bytes of all buffers of these kinds (``KV``, ``RS``, ``compute``, ``output``); ``None`` if it named none.

        llama.cpp prints hundredths of a mebibyte, so each buffer is known to about 5 kB. A compute buffer that is
        laid out again is named again, and its last size counts; the parts of a cache are named once each.
        """
        sizes: dict[tuple[str, str, int], float] = {}
        for number, line in enumerate(self.lines):
            found = _BUFFER_SIZE.search(line)
            if found and found[2] in kinds:
                sizes[found[1], found[2], 0 if found[2] == "compute" else number] = float(found[3])
        return round(sum(sizes.values()) * 1024 * 1024) if sizes else None

    def said(self, name: str) -> str | None:
        """The value in the last line ``function: name = value``; ``None`` if there is none."""
        marker = f": {name} = "
        return next((line.split(marker, 1)[1] for line in reversed(self.lines) if marker in line), None)

    def flash_attention(self) -> str | None:
        """What llama.cpp chose when flash attention was left to it: ``on``, ``off``, or ``None`` if it did not say."""
        found = [match[1] for match in map(_FLASH_ATTENTION.search, self.lines) if match]
        return {"enabled": "on", "disabled": "off"}[found[-1]] if found else None

    def _receive(self, level: int, text: bytes, _user_data: object) -> None:
        if level in (_DEBUG, _CONTINUED):  # what continues is the dots of a progress bar
            return
        line = " ".join(text.decode(errors="replace").split())
        self.lines.append(line)
        if level == _ERROR:
            self.errors.append(line)
        if level in (_WARNING, _ERROR):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def decode_failure(status: int, log: LlamaLog) -> str:
    """Why a call of llama_decode failed, from what it returned and what llama.cpp wrote."""
    meaning = _DECODE_FAILURES.get(status, "a fatal error")
    return f"llama_decode returned {status}, {meaning}: {log.cause('llama.cpp does not say why')}"
