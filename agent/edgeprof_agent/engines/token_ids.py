"""The fixed token ids that engines are fed."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def token_id(seed: int, position: int, vocabulary_size: int) -> int:
    """The token at a position of the context: the same for every engine, in any language.

    It is the ``position + 1``-th output of the SplitMix64 generator that starts at ``seed``, modulo the size of
    the vocabulary (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
    """
    mixed = (seed + (position + 1) * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return (mixed ^ (mixed >> 31)) % vocabulary_size
