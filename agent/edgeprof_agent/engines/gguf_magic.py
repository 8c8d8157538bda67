"""Whether a file is a GGUF file at all."""

from __future__ import annotations

from pathlib import Path

from .engine import EngineError

_MAGIC = b"GGUF"


def refuse_what_is_no_gguf(path: str) -> None:
    """Look at a file's first bytes.

    Raises:
        EngineError: it cannot be read, or begins otherwise.
    """
    try:
        with Path(path).open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise EngineError(f"{path}: cannot be read: {error.strerror}") from error
    if magic != _MAGIC:
        raise EngineError(f"{path}: no GGUF file: it begins with {magic!r}, not with {_MAGIC!r}")
