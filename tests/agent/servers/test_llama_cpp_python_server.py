"""llama_cpp.server itself, on a small synthetic model. Its streams tell no counts and no usage."""

import itertools

from edgeprof_agent.workload.engine_process import EngineProcess

from .serving import CHAT, DECODE, DEEP_PREFILL, ignore, with_engine


def test_texts_are_counted_by_the_server_and_answers_by_their_events(llama_cpp_python_server: str, model: str) -> None:
    async def work(process: EngineProcess) -> None:
        assert process.facts.capabilities.exact_counts is False
        await process.load(model, {"threads": "1", "logits_all": "false", "flash_attention": "true"}, 300, 1)
        (prefill,) = await process.run_step(DEEP_PREFILL, ignore)
        assert (prefill.prompt_tokens, prefill.depth_tokens) == (DEEP_PREFILL.prompt_tokens, DEEP_PREFILL.depth_tokens)
        (decode,) = await process.run_step(DECODE, ignore)
        assert 0 < len(decode.token_gaps_ns) <= DECODE.decode_tokens
        turns = await process.run_step(CHAT, ignore)
        assert turns[0].prompt_tokens == CHAT.prompt_tokens
        for before, after in itertools.pairwise(turns):
            answered = sum(before.token_counts) or len(before.token_gaps_ns)
            assert after.reused_tokens == before.prompt_tokens + answered

    with_engine(work, llama_cpp_python_server)


def test_a_chat_is_told_by_messages(llama_cpp_python_server: str, model: str) -> None:
    async def work(process: EngineProcess) -> None:
        await process.load(model, {"threads": "1", "api": "chat"}, 300, 1)
        turns = await process.run_step(CHAT, ignore)
        assert len(turns) == CHAT.turns
        assert all(turn.token_gaps_ns for turn in turns)

    with_engine(work, llama_cpp_python_server)
