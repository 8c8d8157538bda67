"""What tests of servers share."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig

PLAYING_SERVER = str(Path(__file__).parent / "playing_server.py")
PLAYING = ServerConfig(
    command=(sys.executable, PLAYING_SERVER, "--port", "{port}", "--behaviour", "{behaviour}"),
    options={"behaviour": "good"},
)
PREFILL = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=30)
DEEP_PREFILL = Step(kind=StepKind.PREFILL, name="deep prefill", prompt_tokens=30, depth_tokens=50)
DECODE = Step(kind=StepKind.DECODE, name="decode", decode_tokens=8, depth_tokens=16)
CHAT = Step(kind=StepKind.CHAT, name="chat", prompt_tokens=20, decode_tokens=6, turns=3)

T = TypeVar("T")


def ignore(_: int) -> None:
    """Take note of tokens that nobody counts."""


def with_engine(
    work: Callable[[EngineProcess], Awaitable[T]],
    engine: str = "playing",
    servers: Mapping[str, ServerConfig] | None = None,
) -> T:
    """Start an engine, do the work with it, and close it whatever happens."""

    async def scenario() -> T:
        process = await EngineProcess.start(engine, "", {"playing": PLAYING} if servers is None else servers)
        try:
            return await work(process)
        finally:
            await process.close()

    return asyncio.run(scenario())


def requests_of(
    step: Step,
    options: Mapping[str, str],
    engine: str = "playing",
    servers: Mapping[str, ServerConfig] | None = None,
    model: str = "words.gguf",
) -> tuple[RequestTimes, ...]:
    """The requests of one step."""

    async def work(process: EngineProcess) -> tuple[RequestTimes, ...]:
        await process.load(model, options, 200, 1)
        return await process.run_step(step, ignore)

    return with_engine(work, engine, servers)
