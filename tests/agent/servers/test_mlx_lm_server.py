"""mlx_lm.server itself, on a small synthetic model in floats: quantised ones take seconds per token on a CPU."""

import asyncio
from pathlib import Path

import psutil
import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess

from .serving import ignore, with_engine

CHAT = Step(kind=StepKind.CHAT, name="chat", prompt_tokens=20, decode_tokens=4, turns=2)


def test_it_streams_with_comments_and_tells_its_usage_and_its_cache(mlx_lm_server: str, tmp_path: Path) -> None:
    model = asyncio.run(prepare_model("synth:tiny@hf-f16", tmp_path, ignore_progress)).path

    async def work(process: EngineProcess) -> None:
        await process.load(model, {}, 200, 1)
        first, second = await process.run_step(CHAT, ignore)
        assert first.reused_tokens < first.prompt_tokens < second.prompt_tokens
        assert second.reused_tokens >= first.prompt_tokens - 1
        for turn in (first, second):
            assert 0 < (sum(turn.token_counts) or len(turn.token_gaps_ns)) <= CHAT.decode_tokens

    with_engine(work, mlx_lm_server)


def test_a_folder_that_it_cannot_load_is_told_at_once_though_it_goes_on_to_listen(
    mlx_lm_server: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "abacus"}')

    async def work(process: EngineProcess) -> None:
        with pytest.raises(EngineFailedError, match=r"^mlx-lm-server failed to start; it said: .*No safetensors"):
            await process.load(str(tmp_path), {}, 200, 1)
        assert psutil.Process(process.pid).children() == []

    with_engine(work, mlx_lm_server)


def ignore_progress(_: float) -> None:
    """Nobody watches."""
