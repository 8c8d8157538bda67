from collections.abc import Mapping
from typing import Any

import pytest

from edgeprof_agent.engines import recorder
from edgeprof_agent.engines.recorder import Recorder, StepCancelledError


class Parent:
    """Hears what a recorder sends, and may cancel."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, Any]] = []
        self.cancelled = False

    def recorder(self) -> Recorder:
        return Recorder(7, self.messages.append, lambda _: self.cancelled)

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.messages]


def begin(requests: Recorder, prompt_tokens: int = 0) -> None:
    requests.begin(prompt_tokens=prompt_tokens, reused_tokens=0, depth_tokens=0)


def test_nothing_is_sent_before_a_request_ends_within_the_interval() -> None:
    parent = Parent()
    requests = parent.recorder()
    begin(requests, 5)
    requests.prefill_end()
    requests.token()
    requests.token()
    assert parent.messages == []
    requests.end()
    request, tokens, end = parent.messages
    assert (request["type"], request["id"], request["index"], request["prompt_tokens"]) == ("request", 7, 0, 5)
    first, second = tokens["times_monotonic_ns"]
    assert request["start_monotonic_ns"] <= request["prefill_end_monotonic_ns"] <= first <= second
    assert end["end_monotonic_ns"] == second


def test_batches_carry_on_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FLUSH_EVENTS", 3)
    parent = Parent()
    requests = parent.recorder()
    begin(requests)
    for _ in range(7):
        requests.token()
    requests.end()
    assert parent.kinds() == ["request", "tokens", "tokens", "tokens", "request_end"]
    batches = [message for message in parent.messages if message["type"] == "tokens"]
    assert [(batch["first_event"], len(batch["times_monotonic_ns"])) for batch in batches] == [(0, 3), (3, 3), (6, 1)]
    assert parent.messages[-1]["end_monotonic_ns"] == batches[-1]["times_monotonic_ns"][-1]


def test_a_batch_goes_out_when_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FLUSH_INTERVAL_NS", 0)
    parent = Parent()
    requests = parent.recorder()
    begin(requests)
    requests.token()
    requests.token()
    assert parent.kinds() == ["request", "tokens", "tokens"]


def test_a_request_without_tokens_ends_with_its_prompt() -> None:
    parent = Parent()
    requests = parent.recorder()
    begin(requests, 9)
    requests.prefill_end()
    requests.end()
    request, end = parent.messages
    assert end["end_monotonic_ns"] == request["prefill_end_monotonic_ns"]


def test_a_second_request_starts_afresh() -> None:
    parent = Parent()
    requests = parent.recorder()
    for _ in range(2):
        begin(requests)
        requests.token()
        requests.end()
    assert [message["index"] for message in parent.messages] == [0, 0, 0, 1, 1, 1]
    assert parent.messages[4]["first_event"] == 0


def test_a_cancelled_step_stops_at_the_next_token_and_keeps_it() -> None:
    parent = Parent()
    requests = parent.recorder()
    begin(requests)
    requests.token()
    parent.cancelled = True
    with pytest.raises(StepCancelledError):
        requests.token()
    assert parent.kinds() == ["request", "tokens"]
    assert len(parent.messages[1]["times_monotonic_ns"]) == 2


def test_a_step_cancelled_before_its_first_token_sends_nothing() -> None:
    parent = Parent()
    requests = parent.recorder()
    begin(requests, 9)
    parent.cancelled = True
    with pytest.raises(StepCancelledError):
        requests.check()
    assert parent.messages == []
