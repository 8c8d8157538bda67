"""mlx_lm.server itself, on a small synthetic model in floats: quantised ones take seconds per token on a CPU."""

import asyncio
from pathlib import Path

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineProcess

from .serving import ignore, with_engine

ENGINE = "mlx-lm-server"
CHAT = Step(kind=StepKind.CHAT, name="chat", prompt_tokens=20, decode_tokens=4, turns=2)


def test_it_streams_with_comments_and_tells_its_usage_and_its_cache(tmp_path: Path) -> None:
    pytest.importorskip("mlx_lm", reason="mlx-lm is not installed: pip install 'edgeprof[mlx]'")
    model = asyncio.run(prepare_model("synth:tiny@hf-f16", tmp_path, ignore_progress)).path

    async def work(process: EngineProcess) -> None:
        await process.load(model, {}, 200, 1)
        first, second = await process.run_step(CHAT, ignore)
        assert first.reused_tokens < first.prompt_tokens < second.prompt_tokens
        assert second.reused_tokens >= first.prompt_tokens - 1
        for turn in (first, second):
            assert 0 < (sum(turn.token_counts) or len(turn.token_gaps_ns)) <= CHAT.decode_tokens

    with_engine(work, ENGINE)


def ignore_progress(_: float) -> None:
    """Nobody watches."""
