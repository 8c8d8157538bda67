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


def corrected_counts(answer: Answer) -> dict[str, object]:
    """The counts of all events, if the answer has more or fewer tokens than came with them as far as anyone said.

    Which event had them is not known, so they are spread evenly over those after the first.
    """
    events = len(answer.event_tokens)
    if sum(answer.event_tokens) == answer.total_tokens or not events:
        return {}
    if events == 1:
        return {"counts": [answer.total_tokens]}
    later, rest = max(answer.total_tokens - 1, 0), events - 1
    counts = [later * (place + 1) // rest - later * place // rest for place in range(rest)]
    return {"counts": [answer.total_tokens - later, *counts]}
