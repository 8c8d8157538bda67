from time import monotonic_ns
from typing import Any

import pytest

from edgeprof_agent.workload.engine_messages import (
    AnswersTold,
    Done,
    NextTokensTold,
    ProtocolError,
    RequestBegun,
    RequestEnded,
    TextScoreTold,
    TokensArrived,
)
from edgeprof_agent.workload.engine_requests import RequestCollector


@pytest.fixture
def heard() -> list[int]:
    return []


@pytest.fixture
def collector(heard: list[int]) -> RequestCollector:
    return RequestCollector(heard.append)


def begun(**fields: Any) -> RequestBegun:
    start_ns = monotonic_ns()
    values = {
        "index": 0,
        "prompt_tokens": 0,
        "reused_tokens": 0,
        "depth_tokens": 0,
        "start_monotonic_ns": start_ns,
        "prefill_end_monotonic_ns": 0,
    }
    return RequestBegun(**{**values, **fields})


def test_batches_become_gaps(collector: RequestCollector, heard: list[int]) -> None:
    request = begun(depth_tokens=5)
    collector.accept(request)
    times = tuple(request.start_monotonic_ns + nanoseconds for nanoseconds in (10, 30, 60))
    collector.accept(TokensArrived(index=0, first_event=0, times_monotonic_ns=times[:2]))
    collector.accept(TokensArrived(index=0, first_event=2, times_monotonic_ns=times[2:]))
    collector.accept(RequestEnded(index=0, end_monotonic_ns=times[2]))
    collector.check_complete()
    (result,) = collector.requests()
    assert result.token_gaps_ns == (10, 20, 30)
    assert result.token_counts == ()
    assert result.end_monotonic_ns == times[2]
    assert result.depth_tokens == 5
    assert heard == [2, 1]


def test_counts_are_kept_where_an_event_brings_more_than_one_token(
    collector: RequestCollector, heard: list[int]
) -> None:
    request = begun()
    collector.accept(request)
    times = (request.start_monotonic_ns, request.start_monotonic_ns)
    collector.accept(TokensArrived(index=0, first_event=0, times_monotonic_ns=times, counts=(1, 3)))
    assert collector.requests()[0].token_counts == (1, 3)
    assert heard == [4]


def test_a_prompt_counts_as_tokens_when_nothing_is_decoded(collector: RequestCollector, heard: list[int]) -> None:
    request = begun(prompt_tokens=64, reused_tokens=14)
    collector.accept(request)
    collector.accept(RequestEnded(index=0, end_monotonic_ns=request.start_monotonic_ns))
    assert heard == [50]


def test_a_request_that_was_cut_ends_with_its_last_token(collector: RequestCollector) -> None:
    request = begun()
    collector.accept(request)
    assert collector.requests() == ()
    last_ns = request.start_monotonic_ns + 7
    collector.accept(TokensArrived(index=0, first_event=0, times_monotonic_ns=(last_ns,)))
    assert collector.requests()[0].end_monotonic_ns == last_ns
    with pytest.raises(ProtocolError, match="before its request"):
        collector.check_complete()


def test_what_breaks_the_rules_of_order_and_time_is_refused(collector: RequestCollector) -> None:
    past_ns = monotonic_ns() - 10**9
    future_ns = monotonic_ns() + 10**12
    for message, why in (
        (begun(index=1), "began request 1 out of order"),
        (begun(start_monotonic_ns=past_ns), "before the one it follows"),
        (begun(start_monotonic_ns=future_ns), "in the future"),
        (begun(prefill_end_monotonic_ns=past_ns), "before the one it follows"),
        (begun(prompt_tokens=3, reused_tokens=4), "reused 4 tokens of a prompt of 3"),
        (TokensArrived(index=0, first_event=0, times_monotonic_ns=()), "not under way"),
        (RequestEnded(index=0, end_monotonic_ns=0), "not under way"),
        (Done(), "Done in the middle of a step"),
    ):
        with pytest.raises(ProtocolError, match=why):
            collector.accept(message)
    request = begun()
    start_ns = request.start_monotonic_ns
    collector.accept(request)
    for later, why in (
        (begun(index=1), "began request 1 out of order"),
        (TokensArrived(index=0, first_event=1, times_monotonic_ns=(start_ns,)), "event 1 where 0 comes next"),
        (TokensArrived(index=0, first_event=0, times_monotonic_ns=(start_ns,), counts=(1, 1)), "2 counts for 1"),
        (TokensArrived(index=0, first_event=0, times_monotonic_ns=(start_ns - 1,)), "1 ns before"),
        (TokensArrived(index=0, first_event=0, times_monotonic_ns=(start_ns + 9, start_ns + 5)), "4 ns before"),
        (TokensArrived(index=0, first_event=0, times_monotonic_ns=(start_ns, future_ns)), "in the future"),
        (RequestEnded(index=0, end_monotonic_ns=future_ns), "in the future"),
    ):
        with pytest.raises(ProtocolError, match=why):
            collector.accept(later)


def test_the_end_may_correct_what_was_told_before(collector: RequestCollector, heard: list[int]) -> None:
    request = begun(prompt_tokens=50, reused_tokens=40)
    collector.accept(request)
    start_ns = request.start_monotonic_ns
    collector.accept(TokensArrived(index=0, first_event=0, times_monotonic_ns=(start_ns, start_ns)))
    collector.accept(
        RequestEnded(
            index=0, end_monotonic_ns=start_ns, prompt_tokens=52, reused_tokens=30, depth_tokens=3, counts=(1, 4)
        )
    )
    (result,) = collector.requests()
    assert (result.prompt_tokens, result.reused_tokens, result.depth_tokens) == (52, 30, 3)
    assert result.token_counts == (1, 4)
    assert heard == [2]


@pytest.mark.parametrize("corrections", [{"counts": (1,)}, {"reused_tokens": 51}])
def test_a_correction_must_fit(collector: RequestCollector, corrections: dict[str, Any]) -> None:
    request = begun(prompt_tokens=50)
    collector.accept(request)
    with pytest.raises(ProtocolError):
        collector.accept(RequestEnded(index=0, end_monotonic_ns=request.start_monotonic_ns, **corrections))


def _told(count: int) -> NextTokensTold:
    return NextTokensTold(token_ids=(7,) * count, log_probabilities=(-1.5,) * count)


def _ended(collector: RequestCollector) -> None:
    request = begun()
    collector.accept(request)
    collector.accept(RequestEnded(index=0, end_monotonic_ns=request.start_monotonic_ns))


def test_a_fidelity_step_tells_all_next_tokens_once() -> None:
    collector = RequestCollector(lambda _: None, kept_tokens=4)
    _ended(collector)
    with pytest.raises(ProtocolError, match="ended a fidelity step without its next tokens"):
        collector.check_complete()
    with pytest.raises(ProtocolError, match="sent 3 next tokens where 4 were asked for"):
        collector.accept(_told(3))
    collector.accept(_told(4))
    collector.check_complete()
    assert collector.next_tokens == _told(4)
    with pytest.raises(ProtocolError, match="sent next tokens that were not asked for"):
        collector.accept(_told(4))


def test_other_steps_tell_no_next_tokens(collector: RequestCollector) -> None:
    _ended(collector)
    with pytest.raises(ProtocolError, match="sent next tokens that were not asked for"):
        collector.accept(_told(4))


def test_a_perplexity_step_tells_its_score_once() -> None:
    collector = RequestCollector(lambda _: None, most_windows=2)
    _ended(collector)
    with pytest.raises(ProtocolError, match="ended a perplexity step without its score"):
        collector.check_complete()
    with pytest.raises(ProtocolError, match="sent 3 windows where 2 at most were asked for"):
        collector.accept(_scored(3))
    collector.accept(_scored(2))
    collector.check_complete()
    assert collector.text_score == _scored(2)
    with pytest.raises(ProtocolError, match="sent the score of a text that was not asked for"):
        collector.accept(_scored(2))


def test_other_steps_tell_no_score(collector: RequestCollector) -> None:
    _ended(collector)
    with pytest.raises(ProtocolError, match="sent the score of a text that was not asked for"):
        collector.accept(_scored(1))


def test_a_tasks_step_tells_an_answer_to_each_prompt_once() -> None:
    collector = RequestCollector(lambda _: None, prompts=2)
    _ended(collector)
    with pytest.raises(ProtocolError, match="ended a tasks step without its answers"):
        collector.check_complete()
    with pytest.raises(ProtocolError, match="sent 1 answers to 2 prompts"):
        collector.accept(AnswersTold(texts=("7",)))
    collector.accept(AnswersTold(texts=("7", "")))
    collector.check_complete()
    assert collector.answers == AnswersTold(texts=("7", ""))
    with pytest.raises(ProtocolError, match="sent answers that were not asked for"):
        collector.accept(AnswersTold(texts=("7", "")))


def test_other_steps_tell_no_answers(collector: RequestCollector) -> None:
    _ended(collector)
    with pytest.raises(ProtocolError, match="sent answers that were not asked for"):
        collector.accept(AnswersTold(texts=("7",)))


def _scored(windows: int) -> TextScoreTold:
    return TextScoreTold(text_sha256="0" * 64, window_nats=(1.5,) * windows)


def test_requests_that_are_under_way_together_may_alternate(heard: list[int]) -> None:
    collector = RequestCollector(heard.append, together=True)
    requests = [begun(index=index) for index in range(2)]
    for request in requests:
        collector.accept(request)
    for batch in range(2):
        for request in requests:
            times = tuple(request.start_monotonic_ns + 10 * (2 * batch + event + 1) for event in range(2))
            collector.accept(TokensArrived(index=request.index, first_event=2 * batch, times_monotonic_ns=times))
    for request in requests:
        collector.accept(RequestEnded(index=request.index, end_monotonic_ns=request.start_monotonic_ns + 40))
    collector.check_complete()
    assert [result.token_gaps_ns for result in collector.requests()] == [(10, 10, 10, 10)] * 2
    assert heard == [4, 4]


def test_requests_together_begin_in_order_and_all_of_them_end() -> None:
    collector = RequestCollector(lambda _: None, together=True)
    collector.accept(begun(index=0))
    with pytest.raises(ProtocolError, match="began request 2 out of order"):
        collector.accept(begun(index=2))
    collector.accept(begun(index=1))
    with pytest.raises(ProtocolError, match="spoke of request 2, which is not under way"):
        collector.accept(RequestEnded(index=2, end_monotonic_ns=monotonic_ns()))
    collector.accept(RequestEnded(index=1, end_monotonic_ns=monotonic_ns()))
    with pytest.raises(ProtocolError, match="ended a step before its request"):
        collector.check_complete()
    with pytest.raises(ProtocolError, match="spoke of request 1, which is not under way"):
        collector.accept(RequestEnded(index=1, end_monotonic_ns=monotonic_ns()))
