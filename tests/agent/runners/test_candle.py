"""Candle in its own program, as the agent runs it."""

import asyncio
import re
from pathlib import Path

import pytest

from edgeprof_agent.engines.registry import find_program
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from tests.agent.engine_steps import chat, decode, ignore, prefill, started

CANDLE = "candle"
pytestmark = pytest.mark.usefixtures("candle")


def threads_named_by_candle(pid: int) -> int:
    """How many threads of candle's own pool a process has."""
    names = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/comm")]
    return sum(name.startswith("candle-bp") for name in names)


def test_it_says_what_it_is() -> None:
    async def scenario() -> None:
        async with started(CANDLE) as process:
            facts = process.facts
            entry = find_program(CANDLE)
            assert entry is not None
            assert facts.engine == CANDLE
            assert re.fullmatch(r"\d+\.\d+\.\d+", facts.version)
            assert "cpu" in facts.build
            assert facts.python_version == ""
            declared = {name: getattr(facts.capabilities, name) for name in entry.capabilities._fields}
            assert declared == entry.capabilities._asdict()
            assert [option.name for option in facts.options] == ["threads", "batch", "device"]

    asyncio.run(scenario())


@pytest.mark.parametrize("batch", ["0", "32"])
def test_it_runs_every_kind_of_step(tiny_model: Path, batch: str) -> None:
    async def scenario() -> None:
        async with started(CANDLE) as process:
            loaded = await process.load(str(tiny_model), {"threads": "1", "batch": batch}, 400, 1)
            asked = {"threads": "1", "batch": batch, "device": "cpu"}
            assert loaded.options == {**asked, "cache_type_k": "f32", "cache_type_v": "f32"}
            assert loaded.load_seconds > 0
            assert loaded.page_cache_ratio
            assert loaded.page_cache_ratio > 0.9  # it was written just now, and the kernel may have let go of a little
            await process.warm_up(prefill(100))
            heard: list[int] = []
            (one,) = await process.run_step(prefill(100, depth=50), heard.append)
            (two,) = await process.run_step(decode(16, depth=200), heard.append)
            turns = await process.run_step(chat(3, 20, 5), heard.append)
        assert (one.prompt_tokens, one.reused_tokens, one.depth_tokens, one.token_gaps_ns) == (100, 0, 50, ())
        assert (two.prompt_tokens, two.depth_tokens, two.prefill_end_monotonic_ns) == (0, 200, 0)
        assert len(two.token_gaps_ns) == 16
        assert [turn.prompt_tokens for turn in turns] == [20, 45, 70]
        assert [turn.reused_tokens for turn in turns] == [0, 25, 50]
        assert [len(turn.token_gaps_ns) for turn in turns] == [5, 5, 5]
        assert sum(heard) == 100 + 16 + 15

    asyncio.run(scenario())


def test_another_number_of_threads_keeps_the_process_and_is_really_used(tiny_model: Path) -> None:
    """Candle reads it once. So the program starts itself afresh, and its parent notices nothing but the answer."""

    async def scenario() -> None:
        async with started(CANDLE) as process:
            for count in (3, 1, 2):
                loaded = await process.load(str(tiny_model), {"threads": str(count)}, 64, 1)
                assert loaded.options["threads"] == str(count)
                await process.run_step(decode(4), ignore)
                assert threads_named_by_candle(process.pid) == count - 1  # the thread that asks computes too
                await process.unload()

    asyncio.run(scenario())


def test_a_cancelled_step_leaves_its_tokens_and_a_usable_engine(tiny_model: Path) -> None:
    async def scenario() -> None:
        async with started(CANDLE) as process:
            await process.load(str(tiny_model), {"threads": "1"}, 4096, 1)
            heard: list[int] = []

            def stop(count: int) -> None:
                heard.append(count)
                task.cancel()

            task = asyncio.ensure_future(process.run_step(decode(4096), stop))
            with pytest.raises(asyncio.CancelledError):
                await task
            (cut,) = process.requests_so_far
            assert 0 < len(cut.token_gaps_ns) < 4096
            (whole,) = await process.run_step(decode(3, depth=5), ignore)
            assert len(whole.token_gaps_ns) == 3

    asyncio.run(scenario())


def test_a_prompt_is_cancelled_between_two_calls(tiny_model: Path) -> None:
    async def scenario() -> None:
        async with started(CANDLE) as process:
            await process.load(str(tiny_model), {"threads": "1", "batch": "1"}, 4096, 1)
            task = asyncio.ensure_future(process.run_step(prefill(4096), ignore))
            await asyncio.sleep(0)  # the command is on its way
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert process.requests_so_far == ()
            (whole,) = await process.run_step(prefill(3), ignore)
            assert whole.prompt_tokens == 3

    asyncio.run(scenario())


def test_a_step_without_a_model_is_refused() -> None:
    async def scenario() -> None:
        async with started(CANDLE) as process:
            with pytest.raises(EngineFailedError, match="no model is loaded"):
                await process.run_step(decode(2), ignore)

    asyncio.run(scenario())


def test_a_program_takes_no_python() -> None:
    with pytest.raises(EngineFailedError, match="the engine candle is a program, which no Python runs"):
        asyncio.run(EngineProcess.start(CANDLE, "/usr/bin/python3"))
