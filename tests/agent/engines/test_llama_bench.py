"""The real llama-bench, driven step by step."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.engines.llama_bench_options import arguments_of, declared_options
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess, RequestTimes
from tests.agent.engines.llama_bench_program import NOT_BUILT, put_llama_bench
from tests.agent.engines.tiny_model import write_tiny_model, write_unknown_architecture

ENGINE = "llama-bench"
PREFILL = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=32, depth_tokens=16)
DECODE = Step(kind=StepKind.DECODE, name="decode", decode_tokens=8, depth_tokens=16)
ENDLESS = Step(kind=StepKind.DECODE, name="endless", decode_tokens=2000)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = put_llama_bench(tmp_path)
    if path is None:
        pytest.skip(NOT_BUILT)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return path


def ignore(_count: int) -> None:
    pass


def run(model: Path, *steps: Step, **options: str) -> list[tuple[RequestTimes, ...]]:
    async def scenario() -> list[tuple[RequestTimes, ...]]:
        process = await EngineProcess.start(ENGINE)
        try:
            await process.load(str(model), {"threads": "1", **options}, 64, 1)
            return [await process.run_step(step, ignore) for step in steps]
        finally:
            await process.close()

    return asyncio.run(scenario())


def test_steps_have_the_durations_that_it_measured(program: Path, tiny_model: Path) -> None:
    ((prefill,), (decode,)) = run(tiny_model, PREFILL, DECODE)
    assert (prefill.prompt_tokens, prefill.depth_tokens, prefill.token_counts) == (32, 16, ())
    assert prefill.start_monotonic_ns < prefill.prefill_end_monotonic_ns == prefill.end_monotonic_ns
    assert (decode.prompt_tokens, decode.depth_tokens, decode.prefill_end_monotonic_ns) == (0, 16, 0)
    assert decode.token_counts == (0, 8)
    assert decode.token_gaps_ns == (0, decode.end_monotonic_ns - decode.start_monotonic_ns)
    assert prefill.end_monotonic_ns < decode.start_monotonic_ns


def test_what_it_loaded_is_told(program: Path, tiny_model: Path) -> None:
    size_bytes = tiny_model.stat().st_size

    async def scenario() -> None:
        process = await EngineProcess.start(ENGINE)
        assert process.facts.version not in ("", "unknown")
        assert not process.facts.capabilities.token_times
        loaded = await process.load(str(tiny_model), {"threads": "2", "batch": "64"}, 64, 1)
        told = [loaded.options[name] for name in ("threads", "batch", "cache_type_k")]
        assert told == ["2", "64", "f16"]
        assert loaded.weights_bytes == pytest.approx(size_bytes, rel=0.05)
        assert loaded.load_seconds > 0
        await process.close()

    asyncio.run(scenario())


def test_every_option_is_taken(program: Path, tiny_model: Path) -> None:
    options = {
        "batch": "32",
        "micro_batch": "16",
        "flash_attention": "on",
        "poll": "0",
        "repack": "false",
        "gpu_layers": "0",
        "cpu_moe_layers": "1",
        "split_mode": "none",
        "tensor_split": "3,1",
        "offload_kqv": "false",
        "op_offload": "false",
        "cache_type_k": "q8_0",
        "cache_type_v": "q8_0",
        "mmap": "off",
        "numa": "distribute",
    }
    assert set(options) | {"threads", "main_gpu"} == {option.name for option in declared_options()}
    assert run(tiny_model, PREFILL, **options)


def test_only_what_differs_is_asked_for() -> None:
    def asked(**given: str) -> list[str]:
        return arguments_of(read_options(ENGINE, declared_options(), {"threads": "3", **given}))

    assert asked() == ["--threads", "3"]
    assert asked(offload_kqv="false", repack="false", mmap="on", tensor_split="3,1", batch="2048") == [
        *("--threads", "3", "--repack", "0", "--tensor-split", "3/1", "--no-kv-offload", "1", "--load-mode", "mmap")
    ]


def test_a_model_that_it_does_not_know_is_refused_in_its_words(program: Path, tiny_model: Path, tmp_path: Path) -> None:
    unknown = write_unknown_architecture(tiny_model, tmp_path / "unknown.gguf")
    with pytest.raises(EngineFailedError, match=r"exit status 1: unknown model architecture: 'xllam'$"):
        run(unknown)
    with pytest.raises(EngineFailedError, match="cannot be read: No such file or directory"):
        run(tmp_path / "none.gguf")


def in_an_endless_step(
    program: Path, model: Path, act: Callable[[EngineProcess, "asyncio.Task[Any]"], object]
) -> bytes:
    """Act while llama-bench runs, and return what it has held open says once it is gone; then close the engine."""
    pipe = program.with_name("pipe")

    async def scenario() -> bytes:
        process = await EngineProcess.start(ENGINE)
        await process.load(str(model), {"threads": "1"}, 2000, 1)
        os.mkfifo(pipe)
        running = asyncio.ensure_future(process.run_step(ENDLESS, ignore))
        with await asyncio.to_thread(pipe.open, "rb") as held:
            assert await asyncio.to_thread(held.readline) == b"\n"
            act(process, running)
            said = await asyncio.to_thread(held.read)
        await asyncio.wait({running})
        pipe.unlink()
        if process.running:
            assert await process.run_step(PREFILL, ignore)
        await process.close()
        return said

    return asyncio.run(scenario())


def test_a_step_can_be_cancelled_and_the_next_one_runs(program: Path, tiny_model: Path) -> None:
    assert in_an_endless_step(program, tiny_model, lambda _, running: running.cancel()) == b""


def test_it_does_not_outlive_the_engine(program: Path, tiny_model: Path) -> None:
    assert in_an_endless_step(program, tiny_model, lambda process, _: os.kill(process.pid, signal.SIGKILL)) == b""


def test_a_machine_without_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    async def scenario() -> None:
        with pytest.raises(EngineFailedError, match=r"the program llama-bench is not on the PATH: install llama.cpp"):
            await EngineProcess.start(ENGINE)

    asyncio.run(scenario())


def test_a_program_that_is_another_is_found_out(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ENGINE).write_text("#!/bin/sh\necho all is well\n")
    (tmp_path / ENGINE).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(EngineFailedError, match=r"wrote what is no result of one test: 'all is well\\n'"):
        run(tiny_model)
