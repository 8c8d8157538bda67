"""What every engine must do alike. One that is not here is skipped, with what it says itself."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_messages import NextTokensTold
from edgeprof_agent.workload.engine_process import EngineProcess, RequestTimes
from tests.agent.engines.conformance import (
    EACH_ENGINE,
    IN_PROCESS,
    SERVERS,
    Subject,
    model_of,
    put_programs_on_the_path,
    with_engine,
)
from tests.agent.engines.one_life import CHAT, DECODE, Life, Repetition, live

# The smallest shape has 1.4 million parameters, each multiplied and added once for a token. No core of a processor
# does 2e12 such operations in a second: one with AVX-512 and VNNI at 4 GHz does about 1e12 on bytes.
OPERATIONS_PER_TOKEN = 2 * 1_400_000
CORE_OPERATIONS_PER_SECOND = 2e12
NOISE = 4
"""How many times the processor time of one of two repetitions may be that of the other."""


@pytest.fixture(scope="module", params=[*IN_PROCESS, *SERVERS], ids=lambda subject: subject.name)
def life(request: pytest.FixtureRequest, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """What an engine did, for all tests of it."""
    subject: Subject = request.param
    with pytest.MonkeyPatch.context() as patch:
        put_programs_on_the_path(tmp_path_factory.mktemp("programs"), patch)
        return live(subject, model_of(subject, model_folder))


def cpu_seconds(repetitions: Sequence[Repetition]) -> float:
    return mean(repetition.cpu_seconds for repetition in repetitions)


def tokens_of(request: RequestTimes) -> int:
    return sum(request.token_counts) if request.token_counts else len(request.token_gaps_ns)


def repetitions_of(life: Life, kind: StepKind) -> tuple[Repetition, ...]:
    if kind.value not in life.subject.capabilities.step_kinds:
        pytest.skip(f"{life.subject.name} has no {kind.value} steps")
    return life.repetitions(kind)


def test_hello_says_what_the_registry_says(life: Life) -> None:
    facts, known = life.facts, life.subject.capabilities
    assert (facts.engine, bool(facts.version)) == (life.subject.name, True)
    told = facts.capabilities
    assert {name: getattr(told, name) for name in known._fields} == {**known._asdict(), "step_kinds": told.step_kinds}
    assert told.step_kinds == tuple(known.step_kinds)


@pytest.mark.parametrize("kind", [StepKind.PREFILL, StepKind.DECODE, StepKind.CHAT])
def test_tokens_are_counted_exactly(life: Life, kind: StepKind) -> None:
    subject = life.subject
    for repetition in repetitions_of(life, kind):
        step = repetition.step
        assert len(repetition.requests) == step.turns
        for turn, request in enumerate(repetition.requests):
            earlier = turn * (step.prompt_tokens + step.decode_tokens)
            assert request.prompt_tokens == subject.about(earlier + step.prompt_tokens, turn)
            assert request.depth_tokens == subject.about(step.depth_tokens)
            if not subject.own_ends:
                assert tokens_of(request) == step.decode_tokens
            elif step.decode_tokens:
                assert 0 < tokens_of(request) <= step.decode_tokens
            if subject.capabilities.token_steps:
                assert len(request.token_gaps_ns) == step.decode_tokens


@pytest.mark.parametrize("kind", [StepKind.PREFILL, StepKind.DECODE, StepKind.CHAT])
def test_times_are_in_order_and_lie_within_the_step(life: Life, kind: StepKind) -> None:
    for repetition in repetitions_of(life, kind):
        before_ns = repetition.before_monotonic_ns
        for request in repetition.requests:
            assert all(gap_ns >= 0 for gap_ns in request.token_gaps_ns)
            if life.subject.capabilities.own_process:  # of a server two may have come at once
                assert all(gap_ns > 0 for gap_ns in request.token_gaps_ns[1:])
            last_ns = request.start_monotonic_ns + sum(request.token_gaps_ns)
            prefill_end_ns = request.prefill_end_monotonic_ns or last_ns
            times = (before_ns, request.start_monotonic_ns, prefill_end_ns, repetition.after_monotonic_ns)
            assert list(times) == sorted(times)
            assert request.end_monotonic_ns == max(last_ns, request.prefill_end_monotonic_ns)
            before_ns = request.end_monotonic_ns


def test_no_rate_is_beyond_what_the_processor_can_do(life: Life) -> None:
    bound = (os.cpu_count() or 1) * CORE_OPERATIONS_PER_SECOND
    for (request,) in (repetition.requests for repetition in life.prefills):
        prefill_ns = request.prefill_end_monotonic_ns - request.start_monotonic_ns
        assert request.prompt_tokens * OPERATIONS_PER_TOKEN / (prefill_ns / 1e9) < bound


def test_a_repetition_does_the_work_again(life: Life) -> None:
    """By processor time, which other programs disturb less: nothing of the first time is kept for those after it."""
    first, *again = life.prefills
    assert first.cpu_seconds / NOISE < cpu_seconds(again) < first.cpu_seconds * NOISE
    for repetition in life.prefills:
        assert repetition.requests[0].reused_tokens == life.subject.about(0)


def test_a_chat_processes_what_is_new_and_starts_empty(life: Life) -> None:
    """A chat that reuses its prefix takes the processor about as long as a prompt of as many tokens.

    Without reuse it would process four and a half times as many.
    """
    subject = life.subject
    if not subject.capabilities.prefix_reuse:
        pytest.skip(f"{subject.name} reuses no prefix")
    for repetition in life.chats:
        for turn, request in enumerate(repetition.requests):
            assert request.reused_tokens == subject.about(turn * (CHAT.prompt_tokens + CHAT.decode_tokens), turn)
    if subject.capabilities.own_process and not subject.text_prompts:  # a request costs others more than a turn's work
        as_long = cpu_seconds(life.prompts_as_long)
        assert as_long / 3 < cpu_seconds(life.chats) < 3 * as_long


def test_reuse_that_is_switched_off_is_none(life: Life) -> None:
    if not life.without_reuse:
        pytest.skip(f"{life.subject.name} cannot be told to process a conversation again")
    for repetition in life.without_reuse:
        assert [request.reused_tokens for request in repetition.requests] == [0] * CHAT.turns
    assert cpu_seconds(life.without_reuse) > cpu_seconds(life.chats)


@EACH_ENGINE
def test_next_tokens_are_distributions_and_the_same_however_the_context_grew(
    subject: Subject, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a prompt and one at a time the same tokens come into the context: kernels may round otherwise, no more."""
    put_programs_on_the_path(tmp_path, monkeypatch)
    model = model_of(subject, model_folder)
    if StepKind.FIDELITY.value not in subject.capabilities.step_kinds:
        pytest.skip(f"{subject.name} hands out no logits")
    steps = [
        Step(kind=StepKind.FIDELITY, name="fidelity", prompt_tokens=prompt, decode_tokens=16 - prompt, top_count=8)
        for prompt in (16, 0, 16)
    ]

    async def act(process: EngineProcess) -> list[NextTokensTold]:
        told = []
        for step in steps:
            await process.run_step(step, lambda _: None)
            assert process.next_tokens
            told.append(process.next_tokens)
        await process.run_step(DECODE, lambda _: None)
        assert process.next_tokens is None
        return told

    together, singly, again = with_engine(subject, model, act)
    assert together == again
    for told in (together, singly):
        for place in range(0, 16 * 8, 8):
            logs = told.log_probabilities[place : place + 8]
            assert list(logs) == sorted(logs, reverse=True)
            assert sum(map(math.exp, logs)) <= 1 + 1e-6
            assert len(set(told.token_ids[place : place + 8])) == 8
    likeliest = zip(together.log_probabilities[::8], singly.log_probabilities[::8], strict=True)
    assert sum(abs(ours - theirs) for ours, theirs in likeliest) / 16 < 0.1


def test_nothing_is_left_running(life: Life) -> None:
    assert life.left_running == ()
