"""llama-server itself, on a small synthetic model: `benchmarks/build_llama_programs.sh` builds it."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from edgeprof.plan import Step, StepKind, Variant
from edgeprof.run import ModelLoaded, Request, RunState
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig
from tests.agent.engines.tiny_model import write_truncated
from tests.agent.workload.runs import Device, job, plan_of

from .serving import CHAT, DECODE, DEEP_PREFILL, PREFILL, ignore, requests_of, with_engine

ENGINE = "llama-server"
ONE_THREAD = {"threads": "1"}


def test_prompts_have_the_tokens_asked_for_and_the_depth_is_in_the_cache(
    llama_server: ServerConfig, model: str
) -> None:
    async def work(process: EngineProcess) -> None:
        await process.load(model, ONE_THREAD, 300, 1)
        assert process.facts.version[0].isdigit()
        for _ in range(2):  # a repetition does not find its prompt in the cache
            (request,) = await process.run_step(PREFILL, ignore)
            assert (request.prompt_tokens, request.reused_tokens, request.depth_tokens) == (30, 0, 0)
            (request,) = await process.run_step(DEEP_PREFILL, ignore)
            assert (request.prompt_tokens, request.reused_tokens, request.depth_tokens) == (30, 0, 50)
            (request,) = await process.run_step(DECODE, ignore)
            assert request.depth_tokens == DECODE.depth_tokens
            assert _tokens(request.token_counts, request.token_gaps_ns) == DECODE.decode_tokens

    with_engine(work, ENGINE, {ENGINE: llama_server})


def _tokens(counts: tuple[int, ...], gaps: tuple[int, ...]) -> int:
    return sum(counts) if counts else len(gaps)


def test_a_chat_reuses_what_came_before(llama_server: ServerConfig, model: str) -> None:
    requests = requests_of(CHAT, ONE_THREAD, ENGINE, {ENGINE: llama_server}, model)
    for turn, request in enumerate(requests):
        assert _tokens(request.token_counts, request.token_gaps_ns) == CHAT.decode_tokens
        assert request.prompt_tokens - request.reused_tokens <= CHAT.prompt_tokens + CHAT.decode_tokens
        assert (request.reused_tokens > 0) is (turn > 0)


def test_messages_are_counted_by_the_server(llama_server: ServerConfig, model: str) -> None:
    requests = requests_of(CHAT, {**ONE_THREAD, "api": "chat"}, ENGINE, {ENGINE: llama_server}, model)
    assert requests[0].prompt_tokens > CHAT.prompt_tokens  # the template is part of the prompt
    assert requests[2].reused_tokens > requests[1].reused_tokens > 0


def test_an_attached_server_is_found_by_its_address(llama_server: ServerConfig, model: str) -> None:
    async def work(process: EngineProcess) -> None:
        loaded = await process.load(model, {**ONE_THREAD, "port": "0"}, 300, 1)
        assert loaded.process_id is not None
        (address,) = {
            f"http://{connection.laddr.ip}:{connection.laddr.port}"
            for connection in psutil.Process(loaded.process_id).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        other = await EngineProcess.start("there", "", {"there": ServerConfig(kind=ENGINE, address=address)})
        try:
            assert other.facts.capabilities.loads_model is False
            assert other.facts.version != "unknown"
            assert "threads" not in [option.name for option in other.facts.options]
            attached = await other.load(model, {}, 300, 1)
            assert attached.process_id == loaded.process_id == other.workload_pid
            assert len(await other.run_step(DECODE, ignore)) == 1
            for _ in range(2):  # what it has kept of an earlier run is not met again
                (request,) = await other.run_step(PREFILL, ignore)
                assert (request.prompt_tokens, request.reused_tokens) == (PREFILL.prompt_tokens, 0)
                await other.load(model, {}, 300, 1)
        finally:
            await other.close()
        assert psutil.pid_exists(loaded.process_id)  # it is not ours to end

    with_engine(work, ENGINE, {ENGINE: llama_server})


def test_a_model_that_it_cannot_load_is_its_own_words(llama_server: ServerConfig, model: str, tmp_path: Path) -> None:
    truncated = write_truncated(Path(model), tmp_path / "half.gguf")

    async def work(process: EngineProcess) -> None:
        with pytest.raises(EngineFailedError, match=r"^llama-server ended with exit status \d+ during its start; it"):
            await process.load(str(truncated), ONE_THREAD, 300, 1)

    with_engine(work, ENGINE, {ENGINE: llama_server})


def test_a_run_samples_the_server_and_starts_it_anew_for_each_variant(
    llama_server: ServerConfig, model: str, device: Device
) -> None:
    variants = tuple(
        Variant(name=f"{width} cache", options={**ONE_THREAD, "cache_type_k": width}) for width in ("f16", "q8_0")
    )
    decode = Step(kind=StepKind.DECODE, name="decode", decode_tokens=6, depth_tokens=16)
    plan = replace(plan_of(repetitions=1), variants=variants, steps=(decode,))
    device.environment = replace(device.environment, servers={ENGINE: llama_server})
    finished = device.run(job(plan, model, ENGINE))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    followed = [entry[1] for entry in device.record if isinstance(entry, tuple) and entry[0] == "follow" and entry[1]]
    assert len(set(followed)) == len(variants)
    assert not any(map(psutil.pid_exists, followed))
    assert [loaded.options["cache_type_k"] for loaded in device.all(ModelLoaded)] == ["f16", "q8_0"]
    assert len(device.all(Request)) == len(variants)
    assert finished.peak_resident_bytes is not None
