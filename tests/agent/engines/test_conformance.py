"""What every engine must do alike. An engine that is not installed here is skipped, with what it says itself."""

import math
import os
from pathlib import Path
from time import monotonic_ns

import psutil
import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_messages import NextTokensTold
from edgeprof_agent.workload.engine_process import EngineProcess, RequestTimes
from tests.agent.engines.conformance import (
    EACH_ENGINE,
    MODELS,
    TEXT_PROMPTS,
    Entry,
    asked_of,
    put_programs_on_the_path,
    skip_unless_here,
    with_engine,
)

PREFILL = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=256, depth_tokens=16)
DECODE = Step(kind=StepKind.DECODE, name="decode", decode_tokens=12, depth_tokens=32)
CHAT = Step(kind=StepKind.CHAT, name="chat", prompt_tokens=62, decode_tokens=2, turns=8)
SAME_TOKENS = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=8 * 64)
STEPS = {step.kind.value: step for step in (PREFILL, DECODE, CHAT)}
# The smallest shape has 1.4 million parameters, each multiplied and added once for a token. No core of a processor
# does 2e12 such operations in a second: one with AVX-512 and VNNI at 4 GHz does about 1e12 on bytes.
OPERATIONS_PER_TOKEN = 2 * 1_400_000
CORE_OPERATIONS_PER_SECOND = 2e12
# How many times the processor time of one of two repetitions may be that of the other.
NOISE = 4
TRIES = 3


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_programs_on_the_path(tmp_path, monkeypatch)


def model_of(entry: Entry, model_folder: Path) -> Path:
    skip_unless_here(entry)
    return MODELS[entry.name](model_folder)


def ignore(_count: int) -> None:
    pass


def prefill_ns(request: RequestTimes) -> int:
    return request.prefill_end_monotonic_ns - request.start_monotonic_ns


async def cpu_seconds(process: EngineProcess, step: Step, repetitions: int = TRIES) -> float:
    """Processor time of the engine, and of what it started and waited for, in a repetition of a step: the mean."""
    child = psutil.Process(process.pid)
    before = sum(child.cpu_times()[:4])
    for _ in range(repetitions):
        await process.run_step(step, ignore)
    return (sum(child.cpu_times()[:4]) - before) / repetitions


def tokens_of(request: RequestTimes) -> int:
    return sum(request.token_counts) if request.token_counts else len(request.token_gaps_ns)


@EACH_ENGINE
def test_hello_says_what_the_registry_says(entry: Entry, model_folder: Path) -> None:
    skip_unless_here(entry)

    async def ask(process: EngineProcess) -> None:
        facts = process.facts
        assert (facts.engine, bool(facts.version)) == (entry.name, True)
        told = facts.capabilities
        assert (told.token_steps, told.logits, told.parallel_sequences, told.prefix_reuse, told.token_times) == (
            entry.capabilities[:5]
        )
        assert told.step_kinds == tuple(entry.capabilities.step_kinds)

    with_engine(entry, None, ask)


@EACH_ENGINE
@pytest.mark.parametrize("kind", STEPS)
def test_tokens_are_counted_exactly_and_times_lie_within_the_step(entry: Entry, kind: str, model_folder: Path) -> None:
    model = model_of(entry, model_folder)
    if kind not in entry.capabilities.step_kinds:
        pytest.skip(f"{entry.name} has no {kind} steps")
    step = STEPS[kind]

    async def act(process: EngineProcess) -> tuple[int, tuple[RequestTimes, ...], int]:
        before_ns = monotonic_ns()
        requests = await process.run_step(step, ignore)
        return before_ns, requests, monotonic_ns()

    before_ns, requests, after_ns = with_engine(entry, model, act)
    assert len(requests) == step.turns
    turn_tokens = step.prompt_tokens + step.decode_tokens
    for turn, request in enumerate(requests):
        earlier_tokens = turn * turn_tokens if kind == "chat" else 0
        assert request.prompt_tokens == asked_of(entry, earlier_tokens + step.prompt_tokens, turn)
        assert request.depth_tokens == asked_of(entry, step.depth_tokens)
        assert tokens_of(request) == step.decode_tokens
        assert all(gap_ns >= 0 for gap_ns in request.token_gaps_ns)
        if entry.capabilities.token_times:
            assert len(request.token_gaps_ns) == step.decode_tokens
            assert all(gap_ns > 0 for gap_ns in request.token_gaps_ns[1:])
        last_ns = request.start_monotonic_ns + sum(request.token_gaps_ns)
        times = (before_ns, request.start_monotonic_ns, request.prefill_end_monotonic_ns or last_ns, after_ns)
        assert list(times) == sorted(times)
        assert request.end_monotonic_ns == max(last_ns, request.prefill_end_monotonic_ns)
        before_ns = request.end_monotonic_ns


@EACH_ENGINE
def test_no_rate_is_beyond_what_the_processor_can_do(entry: Entry, model_folder: Path) -> None:
    model = model_of(entry, model_folder)

    async def act(process: EngineProcess) -> list[RequestTimes]:
        return [(await process.run_step(PREFILL, ignore))[0] for _ in range(TRIES)]

    bound = (os.cpu_count() or 1) * CORE_OPERATIONS_PER_SECOND
    for request in with_engine(entry, model, act):
        assert request.prompt_tokens * OPERATIONS_PER_TOKEN / (prefill_ns(request) / 1e9) < bound


@EACH_ENGINE
def test_a_repetition_does_the_work_again(entry: Entry, model_folder: Path) -> None:
    """By processor time, which other programs disturb less: nothing of the first time is kept for those after it.

    Another step warms up, so that the first time is the first that the engine sees this prompt.
    """
    model = model_of(entry, model_folder)

    async def act(process: EngineProcess) -> tuple[float, float]:
        await process.warm_up(DECODE)
        return await cpu_seconds(process, PREFILL, 1), await cpu_seconds(process, PREFILL)

    first, again = with_engine(entry, model, act)
    assert first / NOISE < again < first * NOISE


@EACH_ENGINE
def test_a_chat_processes_what_is_new_and_starts_empty(entry: Entry, model_folder: Path) -> None:
    """A chat that reuses its prefix takes the processor about as long as a prompt of as many tokens.

    Without reuse it would process four and a half times as many.
    """
    model = model_of(entry, model_folder)
    if not entry.capabilities.prefix_reuse:
        pytest.skip(f"{entry.name} reuses no prefix")

    async def act(process: EngineProcess) -> tuple[tuple[RequestTimes, ...], float, float]:
        await process.warm_up(CHAT)
        chat, prompt = [await cpu_seconds(process, step) for step in (CHAT, SAME_TOKENS)]
        return await process.run_step(CHAT, ignore), chat, prompt

    requests, chat_seconds, prompt_seconds = with_engine(entry, model, act)
    turn_tokens = CHAT.prompt_tokens + CHAT.decode_tokens
    for turn, request in enumerate(requests):
        assert request.reused_tokens == asked_of(entry, turn * turn_tokens, turn)
    if entry.name not in TEXT_PROMPTS:  # a request costs them more than the few tokens of a turn
        assert prompt_seconds / 3 < chat_seconds < 3 * prompt_seconds


@EACH_ENGINE
def test_next_tokens_are_distributions_and_the_same_however_the_context_grew(entry: Entry, model_folder: Path) -> None:
    """In a prompt and one at a time the same tokens come into the context: kernels may round otherwise, no more."""
    model = model_of(entry, model_folder)
    if StepKind.FIDELITY.value not in entry.capabilities.step_kinds:
        pytest.skip(f"{entry.name} hands out no logits")
    steps = [
        Step(kind=StepKind.FIDELITY, name="fidelity", prompt_tokens=prompt, decode_tokens=16 - prompt, top_count=8)
        for prompt in (16, 0, 16)
    ]

    async def act(process: EngineProcess) -> list[NextTokensTold]:
        told = []
        for step in steps:
            await process.run_step(step, ignore)
            assert process.next_tokens
            told.append(process.next_tokens)
        await process.run_step(DECODE, ignore)
        assert process.next_tokens is None
        return told

    together, singly, again = with_engine(entry, model, act)
    assert together == again
    for told in (together, singly):
        for place in range(0, 16 * 8, 8):
            logs = told.log_probabilities[place : place + 8]
            assert list(logs) == sorted(logs, reverse=True)
            assert sum(map(math.exp, logs)) <= 1 + 1e-6
            assert len(set(told.token_ids[place : place + 8])) == 8
    likeliest = zip(together.log_probabilities[::8], singly.log_probabilities[::8], strict=True)
    assert sum(abs(ours - theirs) for ours, theirs in likeliest) / 16 < 0.1


@EACH_ENGINE
def test_nothing_is_left_running(entry: Entry, model_folder: Path) -> None:
    model = model_of(entry, model_folder)

    async def act(process: EngineProcess) -> int:
        await process.run_step(DECODE, ignore)
        return process.pid

    group = with_engine(entry, model, act)
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    assert psutil.Process().children(recursive=True) == []
