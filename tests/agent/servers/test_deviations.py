"""Answers that are right, in every form that servers give them."""

from dataclasses import replace

import pytest

from edgeprof.plan import Step

from .serving import CHAT, DECODE, DEEP_PREFILL, PLAYING, PREFILL, requests_of

FORMS = ("good", "role-first", "no-done", "no-usage", "returns", "pieces", "comments", "silent", "rubbish")


@pytest.mark.parametrize("behaviour", FORMS)
def test_every_token_is_counted_once(behaviour: str) -> None:
    (request,) = requests_of(DECODE, {"behaviour": behaviour})
    assert len(request.token_gaps_ns) == DECODE.decode_tokens
    assert request.token_counts == ()
    assert request.depth_tokens == DECODE.depth_tokens
    assert (request.prompt_tokens, request.prefill_end_monotonic_ns) == (0, 0)


def test_tokens_that_come_together_are_told_apart_by_the_usage() -> None:
    (request,) = requests_of(DECODE, {"behaviour": "pairs"})
    assert len(request.token_gaps_ns) == DECODE.decode_tokens // 2
    assert sum(request.token_counts) == DECODE.decode_tokens
    assert request.token_counts[0] == 1  # the first of them is what the others are timed from


def test_an_answer_that_ends_early_is_as_short_as_it_was() -> None:
    (request,) = requests_of(DECODE, {"behaviour": "short"})
    assert len(request.token_gaps_ns) == 3
    assert request.token_counts == ()


@pytest.mark.parametrize(("step", "prompt_tokens"), [(PREFILL, 30), (DEEP_PREFILL, 80)])
@pytest.mark.parametrize("api", ["completions", "chat"])
def test_a_prefill_is_a_request_for_one_token(step: Step, prompt_tokens: int, api: str) -> None:
    """The server tells no cache, and its kind promises none: so all of the prompt counts as processed."""
    (request,) = requests_of(step, {"api": api})
    assert (request.prompt_tokens, request.reused_tokens, request.depth_tokens) == (prompt_tokens, 0, 0)
    assert request.token_gaps_ns == ()
    assert request.start_monotonic_ns < request.prefill_end_monotonic_ns == request.end_monotonic_ns


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_a_chat_sends_the_whole_conversation_every_time(api: str) -> None:
    requests = requests_of(CHAT, {"api": api})
    assert [request.prompt_tokens for request in requests] == [20, 46, 72]
    for request in requests:
        assert len(request.token_gaps_ns) == CHAT.decode_tokens
        assert request.prefill_end_monotonic_ns == request.start_monotonic_ns + request.token_gaps_ns[0]


def test_a_known_kind_is_taken_at_its_word_where_it_tells_no_cache() -> None:
    requests = requests_of(CHAT, {}, servers={"playing": replace(PLAYING, kind="lm-studio")})
    assert [(request.prompt_tokens, request.reused_tokens) for request in requests] == [(20, 0), (46, 26), (72, 52)]
