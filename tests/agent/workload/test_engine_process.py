"""Real engines in real child processes, doing what they should."""

import asyncio
import ctypes
import os
from importlib.metadata import version
from pathlib import Path
from time import monotonic_ns

import pytest

from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess, RequestTimes
from tests.agent.engine_steps import chat, decode, ignore, prefill, started
from tests.agent.engines.interpreters import other_interpreters
from tests.agent.engines.tiny_model import write_tiny_model

ENGINES = Path(__file__).parents[1] / "engines"
COUNTING = str(ENGINES / "counting_engine.py")
STANDALONE = str(ENGINES / "standalone_engine.py")
LLAMA = "llama-cpp-python"


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_model(tmp_path_factory.mktemp("models")))


def check_times(request: RequestTimes, before_ns: int, after_ns: int) -> None:
    """Every time follows the one before it, within two readings of this process's clock."""
    assert before_ns <= request.start_monotonic_ns
    assert all(gap_ns > 0 for gap_ns in request.token_gaps_ns)
    last_ns = request.start_monotonic_ns + sum(request.token_gaps_ns)
    if request.token_gaps_ns:
        assert request.prefill_end_monotonic_ns <= request.start_monotonic_ns + request.token_gaps_ns[0]
        assert request.end_monotonic_ns == last_ns
    else:
        assert request.end_monotonic_ns == request.prefill_end_monotonic_ns
    assert request.end_monotonic_ns <= after_ns


def test_llama_cpp_says_what_it_is() -> None:
    async def scenario() -> None:
        async with started(LLAMA) as process:
            facts = process.facts
            assert facts.engine == LLAMA
            assert facts.version == version("llama-cpp-python")
            assert "llama.cpp" in facts.build
            assert facts.python_version.count(".") == 2
            assert facts.capabilities.token_steps
            assert facts.capabilities.prefix_reuse
            names = {option.name for option in facts.options}
            assert {"threads", "batch", "micro_batch", "gpu_layers", "flash_attention", "mmap", "mlock"} <= names
            defaults = {option.name: option.default for option in facts.options}
            assert (defaults["batch"], defaults["micro_batch"], defaults["flash_attention"]) == ("2048", "512", "auto")

    asyncio.run(scenario())


def test_llama_cpp_runs_every_kind_of_step(tiny_model: str) -> None:
    async def scenario() -> None:
        async with started(LLAMA) as process:
            loaded = await process.load(tiny_model, {"threads": "1"}, 400, 1)
            assert loaded.options["threads"] == "1"
            assert loaded.load_seconds > 0
            assert loaded.weights_bytes
            assert loaded.kv_cache_bytes
            assert loaded.compute_bytes
            await process.warm_up(prefill(100))
            before_ns = monotonic_ns()
            (one,) = await process.run_step(prefill(100, depth=50), ignore)
            (two,) = await process.run_step(decode(16, depth=200), ignore)
            turns = await process.run_step(chat(3, 20, 5), ignore)
            after_ns = monotonic_ns()
        assert (one.prompt_tokens, one.reused_tokens, one.depth_tokens, one.token_gaps_ns) == (100, 0, 50, ())
        assert (two.prompt_tokens, two.depth_tokens, two.prefill_end_monotonic_ns) == (0, 200, 0)
        assert len(two.token_gaps_ns) == 16
        assert [turn.index for turn in turns] == [0, 1, 2]
        assert [turn.prompt_tokens for turn in turns] == [20, 45, 70]
        assert [turn.reused_tokens for turn in turns] == [0, 25, 50]
        assert [len(turn.token_gaps_ns) for turn in turns] == [5, 5, 5]
        for request in (one, two, *turns):
            check_times(request, before_ns, after_ns)
            assert request.token_counts == ()

    asyncio.run(scenario())


def test_variants_are_loaded_one_after_another(tiny_model: str) -> None:
    async def scenario() -> None:
        async with started(LLAMA) as process:
            for kind in ("f16", "q8_0"):
                loaded = await process.load(tiny_model, {"cache_type_k": kind, "threads": "1"}, 64, 1)
                assert loaded.options["cache_type_k"] == kind
                await process.run_step(decode(2), ignore)
            await process.unload()
            with pytest.raises(EngineFailedError, match="no model is loaded"):
                await process.run_step(decode(2), ignore)
            await process.load(tiny_model, {"threads": "1"}, 64, 1)
            assert len(await process.run_step(decode(2), ignore)) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(("python_version", "python"), other_interpreters().items() or [("none", "")])
def test_the_child_runs_under_another_interpreter(python_version: str, python: str) -> None:
    if not python:
        pytest.skip("no other Python from 3.8 on was found, neither on PATH nor under pyenv")

    async def scenario() -> None:
        async with started(COUNTING, python) as process:
            assert process.facts.python_version == python_version
            await process.load("/no/such/model", {}, 10, 1)
            heard: list[int] = []
            turns = await process.run_step(chat(2, 7, 3), heard.append)
            assert [turn.reused_tokens for turn in turns] == [0, 10]
            assert heard == [3, 3]
            with pytest.raises(EngineFailedError, match="no option 'behavior'; did you mean 'behaviour'"):
                await process.load("", {"behavior": "count"}, 10, 1)

    asyncio.run(scenario())


def test_a_program_that_shares_no_code_is_an_engine() -> None:
    async def scenario() -> None:
        async with started(STANDALONE) as process:
            assert process.facts.engine == "standalone"
            assert process.facts.options == ()
            loaded = await process.load("model", {}, 10, 1)
            assert (loaded.page_cache_ratio, loaded.weights_bytes) == (None, None)
            await process.warm_up(chat(1, 5, 6))
            heard: list[int] = []
            (request,) = await process.run_step(chat(1, 5, 6), heard.append)
            assert request.token_counts == (2, 2, 2)
            assert heard == [6]
            await process.unload()

    asyncio.run(scenario())


def test_what_an_engine_prints_does_not_reach_the_protocol() -> None:
    async def scenario() -> None:
        async with started(COUNTING) as process:
            await process.load("", {"behaviour": "chatter"}, 10, 1)
            (request,) = await process.run_step(decode(3), ignore)
            assert len(request.token_gaps_ns) == 3

    asyncio.run(scenario())


def test_tokens_are_counted_while_a_step_runs() -> None:
    async def scenario() -> None:
        async with started(COUNTING) as process:
            await process.load("", {"token_microseconds": "1000"}, 1, 1)
            heard: list[int] = []
            await process.run_step(decode(1500), heard.append)
            assert sum(heard) == 1500
            assert 2 <= len(heard) <= 20, "in batches, not one by one and not only at the end"

    asyncio.run(scenario())


def test_a_cancelled_step_leaves_its_tokens_and_a_usable_engine() -> None:
    async def scenario() -> None:
        async with started(COUNTING) as process:
            await process.load("", {"token_microseconds": "100"}, 1, 1)

            def stop(_count: int) -> None:
                task.cancel()

            task = asyncio.ensure_future(process.run_step(decode(1_000_000), stop))
            with pytest.raises(asyncio.CancelledError):
                await task
            (cut,) = process.requests_so_far
            assert 0 < len(cut.token_gaps_ns) < 1_000_000
            assert cut.end_monotonic_ns == cut.start_monotonic_ns + sum(cut.token_gaps_ns)
            assert process.running
            (whole,) = await process.run_step(decode(3), ignore)
            assert len(whole.token_gaps_ns) == 3
            assert process.requests_so_far == (whole,)

    asyncio.run(scenario())


def test_nothing_is_left_of_processes_that_were_closed() -> None:
    async def scenario() -> None:
        open_before = descriptors()
        for engine in (COUNTING, STANDALONE):
            process = await EngineProcess.start(engine)
            pid = process.pid
            assert os.getpgid(pid) == pid
            await process.close()
            assert not process.running
            with pytest.raises(ProcessLookupError):
                os.killpg(pid, 0)
            with pytest.raises(EngineFailedError, match="ended before"):
                await process.unload()
            await process.close()
            process.kill()
        await asyncio.sleep(0)  # the loop closes the last pipe in its next turn
        assert descriptors() == open_before

    asyncio.run(scenario())


def descriptors() -> int:
    """How many descriptors this process has open."""
    libc = ctypes.CDLL(None)
    return sum(libc.fcntl(number, 1) != -1 for number in range(256))
