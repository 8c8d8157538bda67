"""Sequences that are decoded together, and several rows in a call: what is fed, what is told, what is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess, RequestTimes

LLAMA_CPP = "llama-cpp-python"
# Two threads wait for each other at every layer, so that another process on one core slows both.
ALONE = {"threads": "1"}
T = TypeVar("T")


def parallel(sequences: int, decode_tokens: int = 12, depth_tokens: int = 0) -> Step:
    return Step(
        kind=StepKind.PARALLEL,
        name="parallel",
        sequences=sequences,
        decode_tokens=decode_tokens,
        depth_tokens=depth_tokens,
    )


def rows(rows: int, calls: int = 4, depth_tokens: int = 0) -> Step:
    return Step(kind=StepKind.ROWS, name="rows", rows=rows, decode_tokens=rows * calls, depth_tokens=depth_tokens)


def ignore(_count: int) -> None:
    pass


def with_model(
    folder: Path,
    act: Callable[[EngineProcess], Awaitable[T]],
    engine: str = LLAMA_CPP,
    model: str = "synth:tiny@q8_0",
    **options: str,
) -> T:
    async def run() -> T:
        path = (await prepare_model(model, folder, lambda _: None)).path
        process = await EngineProcess.start(engine)
        try:
            await process.load(path, {**(ALONE if engine == LLAMA_CPP else {}), **options}, 400, 7)
            return await act(process)
        finally:
            await process.close()

    return asyncio.run(run())


def run_steps(folder: Path, *steps: Step, **options: str) -> list[tuple[RequestTimes, ...]]:
    async def act(process: EngineProcess) -> list[tuple[RequestTimes, ...]]:
        return [await process.run_step(step, ignore) for step in steps]

    return with_model(folder, act, **options)


def test_each_sequence_is_a_request_with_a_time_for_each_of_its_tokens(tmp_path: Path) -> None:
    [requests] = run_steps(tmp_path, parallel(4, 12, depth_tokens=30))

    assert [request.index for request in requests] == [0, 1, 2, 3]
    for request in requests:
        assert (request.prompt_tokens, request.depth_tokens, request.token_counts) == (0, 30, ())
        assert len(request.token_gaps_ns) == 12
        assert all(gap_ns > 0 for gap_ns in request.token_gaps_ns)
        assert request.end_monotonic_ns == request.start_monotonic_ns + sum(request.token_gaps_ns)


def test_sequences_of_one_call_get_their_tokens_at_the_same_moment(tmp_path: Path) -> None:
    [requests] = run_steps(tmp_path, parallel(3))

    assert len({(request.start_monotonic_ns, request.token_gaps_ns) for request in requests}) == 1


def test_more_sequences_and_longer_ones_find_room_and_fewer_keep_it(tmp_path: Path) -> None:
    steps = (parallel(2), parallel(5, 40), parallel(1, depth_tokens=40), parallel(2, depth_tokens=40), parallel(2))

    found = run_steps(tmp_path, *steps)

    assert [len(requests) for requests in found] == [2, 5, 1, 2, 2]


def test_a_parallel_step_leaves_the_context_of_the_others_alone(tmp_path: Path) -> None:
    chat = Step(kind=StepKind.CHAT, name="chat", prompt_tokens=20, decode_tokens=4, turns=2)

    before, _, after = run_steps(tmp_path, chat, parallel(3), chat)

    assert [request.reused_tokens for request in before] == [request.reused_tokens for request in after] == [0, 24]


def test_a_warm_up_of_sequences_tells_nothing(tmp_path: Path) -> None:
    async def act(process: EngineProcess) -> int:
        await process.warm_up(parallel(4, 64))
        return len(await process.run_step(parallel(4, 64), ignore))

    assert with_model(tmp_path, act) == 4


def test_a_cancelled_parallel_step_ends_and_the_next_one_runs(tmp_path: Path) -> None:
    async def act(process: EngineProcess) -> int:
        step = asyncio.ensure_future(process.run_step(parallel(4, 2_000), ignore))
        await asyncio.sleep(0)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        return len(await process.run_step(parallel(2), ignore))

    assert with_model(tmp_path, act) == 2


@pytest.mark.parametrize(("engine", "model"), [(LLAMA_CPP, "synth:tiny@q8_0"), ("mlx", "synth:tiny@mlx-q8")])
def test_every_call_of_a_rows_step_is_an_event_of_its_rows(tmp_path: Path, engine: str, model: str) -> None:
    if engine == "mlx":
        pytest.importorskip("mlx_lm", exc_type=ImportError)

    async def act(process: EngineProcess) -> tuple[RequestTimes, ...]:
        return await process.run_step(rows(8, 4, depth_tokens=10), ignore)

    [request] = with_model(tmp_path, act, engine, model)
    assert request.token_counts == (8, 8, 8, 8)
    assert (request.prompt_tokens, request.depth_tokens) == (0, 10)
    assert all(gap_ns > 0 for gap_ns in request.token_gaps_ns)


def test_a_call_of_one_row_is_a_decoded_token(tmp_path: Path) -> None:
    [[request]] = run_steps(tmp_path, rows(1, 5))

    assert len(request.token_gaps_ns) == 5
    assert request.token_counts == ()


def test_more_rows_than_a_call_may_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineFailedError, match="the option 'batch' is 32, but the step needs calls of 64 tokens"):
        run_steps(tmp_path, rows(64), batch="32")
