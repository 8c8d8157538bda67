"""An engine in its process, and steps to run with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_process import EngineProcess


@asynccontextmanager
async def started(engine: str, python: str = "") -> AsyncIterator[EngineProcess]:
    process = await EngineProcess.start(engine, python)
    try:
        yield process
    finally:
        await process.close()


def ignore(_count: int) -> None:
    pass


def prefill(prompt: int, depth: int = 0) -> Step:
    return Step(kind=StepKind.PREFILL, name=f"prefill {prompt}", prompt_tokens=prompt, depth_tokens=depth)


def decode(tokens: int, depth: int = 0) -> Step:
    return Step(kind=StepKind.DECODE, name=f"decode {tokens}", decode_tokens=tokens, depth_tokens=depth)


def chat(turns: int, prompt: int, tokens: int) -> Step:
    return Step(kind=StepKind.CHAT, name="chat", turns=turns, prompt_tokens=prompt, decode_tokens=tokens)
