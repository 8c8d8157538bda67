"""A vocabulary of any size that llama.cpp can work with.

It is a byte-level one, as GPT-2's: 256 tokens stand for the bytes, so every text can be written and read back. The
others are all lower-case pieces of two letters, then of three, then of four, with or without a space before them, each
made by one merge from the piece that lacks its last letter.
"""

import itertools
import string
from dataclasses import dataclass

from gguf import TokenType

_SPACE = "\u0120"  # how GPT-2's byte alphabet writes a space
_END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Tokens with their types and the merges that make them. ``end_of_text`` begins a text as well as ends it."""

    tokens: tuple[str, ...]
    token_types: tuple[int, ...]
    merges: tuple[str, ...]
    end_of_text: int


def make_vocabulary(size: int) -> Vocabulary:
    """Return a vocabulary of exactly ``size`` tokens, 257 or more."""
    letters = _byte_letters()
    pieces = tuple(itertools.islice(_pieces(), size - len(letters) - 1))
    tokens = (*letters, *pieces, _END_OF_TEXT)
    return Vocabulary(
        tokens=tokens,
        token_types=(*(int(TokenType.NORMAL) for _ in tokens[:-1]), int(TokenType.CONTROL)),
        merges=tuple(f"{piece[:-1]} {piece[-1]}" for piece in pieces),
        end_of_text=size - 1,
    )


def _pieces() -> "itertools.chain[str]":
    lengths = (2, 3, 4)
    return itertools.chain.from_iterable(
        map("".join, itertools.product(_SPACE + string.ascii_lowercase, *[string.ascii_lowercase] * (length - 1)))
        for length in lengths
    )


def _byte_letters() -> tuple[str, ...]:
    """GPT-2's letter for each byte: printable ones stand for themselves, the others for code points from 256 up."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)}
    others = itertools.count(256)
    return tuple(chr(byte) if byte in printable else chr(next(others)) for byte in range(256))
