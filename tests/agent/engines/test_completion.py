"""What each event of a streamed completion tells."""

import itertools
import json

import pytest

from edgeprof_agent.engines.answer import Usage
from edgeprof_agent.engines.completion import Arrival, CompletionReader
from edgeprof_agent.engines.engine import EngineError
from edgeprof_agent.engines.server_client import StreamBrokenError


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def text(content: str, finish_reason: str | None = None, **fields: object) -> bytes:
    return event(choices=[{"text": content, "finish_reason": finish_reason}], **fields)


def read(*pieces: bytes) -> tuple[list[Arrival], CompletionReader]:
    reader = CompletionReader()
    arrivals = [arrival for number, piece in enumerate(pieces) for arrival in reader.feed(number, piece)]
    return arrivals + list(reader.close(len(pieces))), reader


def test_llama_servers_timings_tell_the_tokens_of_each_event_and_what_was_cached() -> None:
    def timings(predicted: int) -> dict[str, int]:
        return {"predicted_n": predicted, "cache_n": 40}

    arrivals, reader = read(
        text("a", timings=timings(1)),
        text("é", timings=timings(3)),  # its first half came as a token that has no text of its own
        text("", "length", timings=timings(4)),
    )
    assert [(arrival.time_ns, arrival.tokens) for arrival in arrivals] == [(0, 1), (1, 2), (2, 1)]
    assert reader.usage == Usage(prompt_tokens=None, cached_tokens=40, completion_tokens=None)


def test_token_ids_are_counted() -> None:
    arrivals, _ = read(
        event(choices=[{"text": "ab", "token_ids": [5, 6]}]),
        event(choices=[{"text": "c"}], __verbose={"tokens": [7]}),
        text("", "stop"),
    )
    assert [arrival.token_ids for arrival in arrivals] == [[5, 6], [7]]
    assert [arrival.tokens for arrival in arrivals] == [2, 1]


def test_thinking_is_decoding() -> None:
    deltas = [{"role": "assistant"}, {"reasoning_content": "hm"}, {"content": "yes"}, {}]
    arrivals, _ = read(*(event(choices=[{"delta": delta}]) for delta in deltas), text("", "stop"))
    assert [arrival.text for arrival in arrivals] == ["hm", "yes"]


def test_the_last_that_was_said_of_the_usage_counts() -> None:
    first = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}
    _, reader = read(text("a", usage=first), text("", "stop"), event(choices=[], usage={"completion_tokens": 1}))
    assert reader.usage == Usage(prompt_tokens=9, cached_tokens=4, completion_tokens=1)


@pytest.mark.parametrize(
    "fields", [{"usage": [1]}, {"usage": {"prompt_tokens": "x"}}, {"timings": 3}, {"choices": "?"}]
)
def test_what_is_of_another_type_tells_nothing(fields: dict[str, object]) -> None:
    _, reader = read(event(**fields), text("", "stop"))
    assert reader.usage == Usage()


def test_a_flood_without_an_event_is_refused() -> None:
    reader = CompletionReader()
    flood = (reader.feed(0, b"x" * 65536) for _ in range(20))
    with pytest.raises(EngineError, match="over 1048576 bytes that are no event"):
        list(itertools.chain.from_iterable(flood))


def test_an_end_without_a_reason_is_no_end() -> None:
    with pytest.raises(StreamBrokenError, match="before its answer was complete"):
        read(text("a"))
