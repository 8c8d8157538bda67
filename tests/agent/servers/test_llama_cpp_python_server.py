"""llama_cpp.server itself, on a small synthetic model. Its streams tell no counts and no usage."""

import itertools
from pathlib import Path

from edgeprof.plan import Step, StepKind
from edgeprof.task_set import TASK_CONTEXT_TOKENS, TaskKind, is_right, make_tasks
from edgeprof_agent.workload.engine_process import EngineProcess
from tests.agent.engines.numerate_model import write_numerate_model

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


def test_a_model_that_can_count_counts(llama_cpp_python_server: str, tmp_path: Path) -> None:
    """The server's own tokens, sampler and text: after ``=`` this model says 7, and ends each answer with its line."""
    tasks = make_tasks(1, 20)
    step = Step(kind=StepKind.TASKS, name="tasks 20", tasks=20)
    numerate = write_numerate_model(tmp_path / "numerate.gguf")

    async def work(process: EngineProcess) -> None:
        await process.load(str(numerate), {"threads": "1"}, TASK_CONTEXT_TOKENS, 1)
        (request,) = await process.run_step(step, ignore, prompts=[task.prompt for task in tasks])
        assert len(request.token_gaps_ns) == len(tasks)
        assert process.answers is not None
        for task, text in zip(tasks, process.answers.texts, strict=True):
            assert is_right(text, task.expected if task.kind is TaskKind.COUNTING else 7), (task, text)

    with_engine(work, llama_cpp_python_server)
