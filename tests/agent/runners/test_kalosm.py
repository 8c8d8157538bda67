"""Kalosm in its own program. Building it takes minutes, so these are proofs; where it is not built they are skipped."""

import asyncio
from pathlib import Path

import pytest

from edgeprof_agent.workload.engine_process import EngineFailedError
from tests.agent.engine_steps import chat, decode, ignore, prefill, started
from tests.agent.engines.tiny_model import write_unknown_architecture

KALOSM = "kalosm"
TURNS, PROMPT, ANSWER = 3, 40, 4
pytestmark = [pytest.mark.usefixtures("kalosm"), pytest.mark.prove(short=1, whole=1)]


def test_it_runs_every_kind_of_step(tiny_model: Path, proof_seed: int) -> None:
    async def scenario() -> None:
        async with started(KALOSM) as process:
            loaded = await process.load(str(tiny_model), {"threads": "1"}, 400, proof_seed)
            assert loaded.options == {"threads": "1", "session": "keep"}
            await process.warm_up(prefill(100))
            (one,) = await process.run_step(prefill(100, depth=50), ignore)
            (two,) = await process.run_step(decode(16, depth=200), ignore)
            turns = await process.run_step(chat(3, 20, 5), ignore)
        assert (one.prompt_tokens, one.reused_tokens, one.depth_tokens, one.token_gaps_ns) == (100, 0, 50, ())
        assert (two.prompt_tokens, two.depth_tokens, two.prefill_end_monotonic_ns) == (0, 200, 0)
        assert len(two.token_gaps_ns) == 16
        assert [turn.prompt_tokens for turn in turns] == [20, 45, 70]
        assert [turn.reused_tokens for turn in turns] == [0, 25, 50]
        assert [len(turn.token_gaps_ns) for turn in turns] == [5, 5, 5]

    asyncio.run(scenario())


def test_a_session_that_is_rebuilt_processes_the_whole_conversation_again(tiny_model: Path, proof_seed: int) -> None:
    """The trap of the field. Both ways hold the same conversation, token by token."""

    async def scenario() -> None:
        async with started(KALOSM) as process:
            conversation = chat(TURNS, PROMPT, ANSWER)
            await process.load(str(tiny_model), {"session": "keep"}, 200, proof_seed)
            kept = await process.run_step(conversation, ignore)
            await process.load(str(tiny_model), {"session": "rebuild"}, 200, proof_seed)
            rebuilt = await process.run_step(conversation, ignore)
        assert [turn.prompt_tokens for turn in rebuilt] == [turn.prompt_tokens for turn in kept]
        assert [turn.reused_tokens for turn in rebuilt] == [0] * TURNS
        processed = [turn.prompt_tokens - turn.reused_tokens for turn in kept]
        assert processed == [PROMPT] * TURNS

    asyncio.run(scenario())


def test_a_cancelled_step_leaves_a_usable_engine(tiny_model: Path, proof_seed: int) -> None:
    async def scenario() -> None:
        async with started(KALOSM) as process:
            await process.load(str(tiny_model), {"threads": "1"}, 2000, proof_seed)

            def stop(_count: int) -> None:
                task.cancel()

            task = asyncio.ensure_future(process.run_step(decode(2000), stop))
            with pytest.raises(asyncio.CancelledError):
                await task
            (cut,) = process.requests_so_far
            assert 0 < len(cut.token_gaps_ns) < 2000
            (whole,) = await process.run_step(decode(3), ignore)
            assert len(whole.token_gaps_ns) == 3

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("name", "options", "context", "cause"),
    [
        (
            "x.gguf",
            {},
            64,
            "{path}: this runner of Kalosm does not know the architecture 'xllam'; it runs llama, qwen2",
        ),
        ("text.gguf", {}, 64, '{path}: no GGUF file: it begins with "once", not with "GGUF"'),
        ("text.bin", {}, 64, "{path}: Kalosm takes files whose names end with .gguf alone"),
        ("none.gguf", {}, 64, "{path}: cannot be read: No such file or directory"),
        (
            "",
            {},
            4096,
            "{path}: the plan needs a context of 4098 tokens, and Kalosm cuts what is over this model's 2048",
        ),
        ("", {"session": "share"}, 64, "the option 'session' cannot be 'share': expected one of keep, rebuild"),
    ],
)
def test_what_it_cannot_do_is_refused(
    tiny_model: Path,
    tmp_path: Path,
    proof_seed: int,
    name: str,
    options: dict[str, str],
    context: int,
    cause: str,
) -> None:
    write_unknown_architecture(tiny_model, tmp_path / "x.gguf")
    for text in ("text.gguf", "text.bin"):
        (tmp_path / text).write_text("once upon a time")
    path = tmp_path / name if name else tiny_model

    async def scenario() -> None:
        async with started(KALOSM) as process:
            with pytest.raises(EngineFailedError) as failed:
                await process.load(str(path), options, context, proof_seed)
            assert str(failed.value).startswith(cause.format(path=path))

    asyncio.run(scenario())
