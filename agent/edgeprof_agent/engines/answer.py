"""What an engine that takes requests answered, whatever way they took."""

from __future__ import annotations

from typing import NamedTuple, Sequence


class Usage(NamedTuple):
    """What the engine says that a request took; ``None`` where it does not say."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None


class Answer(NamedTuple):
    """A whole completion: its text, and the ids of its tokens as far as they are known.

    ``event_tokens`` are the tokens of each event as they came, ``total_tokens`` is how many there were. ``end_ns`` is
    when the last of them was there.
    """

    text: str
    token_ids: Sequence[int]
    event_tokens: Sequence[int]
    total_tokens: int
    usage: Usage
    end_ns: int
