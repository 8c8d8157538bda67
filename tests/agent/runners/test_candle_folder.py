"""candle's program on a Hugging Face folder of floats."""

import asyncio
from pathlib import Path

import pytest

from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineFailedError
from tests.agent.engine_steps import chat, decode, ignore, prefill, started

CANDLE = "candle"


@pytest.mark.parametrize(("name", "cache_type"), [("tiny@hf-bf16", "bf16"), ("tiny@hf-f16", "f16")])
@pytest.mark.usefixtures("candle")
def test_it_runs_every_kind_of_step(tmp_path: Path, name: str, cache_type: str) -> None:
    folder = asyncio.run(prepare_model(f"synth:{name}", tmp_path, lambda _: None)).path

    async def scenario() -> None:
        async with started(CANDLE) as process:
            loaded = await process.load(folder, {"threads": "1"}, 200, 1)
            assert (loaded.options["cache_type_k"], loaded.options["cache_type_v"]) == (cache_type, cache_type)
            for _ in range(2):
                (one,) = await process.run_step(prefill(60, depth=20), ignore)
                assert (one.prompt_tokens, one.depth_tokens, one.token_gaps_ns) == (60, 20, ())
                (two,) = await process.run_step(decode(8, depth=30), ignore)
                assert (two.depth_tokens, len(two.token_gaps_ns)) == (30, 8)
            turns = await process.run_step(chat(3, 20, 5), ignore)
            assert [turn.reused_tokens for turn in turns] == [0, 25, 50]

    asyncio.run(scenario())


@pytest.mark.usefixtures("candle")
def test_what_candle_cannot_do_with_qwen2_in_halves_is_its_own_words(tmp_path: Path) -> None:
    """Of a prompt after a context it joins two masks of different types; decoding works."""
    folder = asyncio.run(prepare_model("synth:tiny-odd@hf-f16", tmp_path, lambda _: None)).path

    async def scenario() -> None:
        async with started(CANDLE) as process:
            await process.load(folder, {"threads": "1"}, 200, 1)
            (request,) = await process.run_step(decode(8, depth=30), ignore)
            assert len(request.token_gaps_ns) == 8
            with pytest.raises(EngineFailedError, match=r"^candle failed: dtype mismatch in cat"):
                await process.run_step(prefill(60, depth=20), ignore)
            assert len(await process.run_step(prefill(60), ignore)) == 1

    asyncio.run(scenario())
