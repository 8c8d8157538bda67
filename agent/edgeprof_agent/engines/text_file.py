"""The text that a perplexity step reads: one file of UTF-8, small enough to be held in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from .engine import EngineError

# WikiText-2's test part, which perplexities are commonly told of, has 1.3 MB.
MOST_TEXT_BYTES = 16 << 20


class TextFile(NamedTuple):
    """A text with the SHA-256 of its bytes, in lower-case hexadecimal digits."""

    text: str
    sha256: str


def read_text_file(path: str) -> TextFile:
    """Read a text.

    Raises:
        EngineError: it is no file that can be read, is empty, too long, or not UTF-8.
    """
    file = Path(path)
    try:
        if not file.is_file():
            cause = "is no file" if file.exists() else "does not exist on this device"
            raise EngineError(f"the text {path} {cause}: name a text in UTF-8")
        with file.open("rb") as stream:
            content = stream.read(MOST_TEXT_BYTES + 1)
    except OSError as error:
        raise EngineError(f"the text {path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_TEXT_BYTES:
        raise EngineError(f"the text {path} has more than {MOST_TEXT_BYTES >> 20} MiB: take a part of it")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EngineError(f"the text {path} is not UTF-8 at byte {error.start}: convert it") from error
    if not text.strip():
        raise EngineError(f"the text {path} is empty: name one that holds some")
    return TextFile(text, hashlib.sha256(content).hexdigest())
