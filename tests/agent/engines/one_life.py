"""One life of an engine: started, loaded, taken through the same steps as every other engine, and closed."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns

import psutil

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_process import EngineHello, EngineProcess, RequestTimes
from tests.agent.engines.conformance import Subject, load, start

PREFILL = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=256, depth_tokens=16)
DECODE = Step(kind=StepKind.DECODE, name="decode", decode_tokens=12, depth_tokens=32)
CHAT = Step(kind=StepKind.CHAT, name="chat", prompt_tokens=62, decode_tokens=2, turns=8)
SAME_TOKENS = Step(kind=StepKind.PREFILL, name="prefill of a chat's tokens", prompt_tokens=8 * 64)
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """A repetition of a step: what the engine told, the agent's clock around it, and the processor time that it took.

    That is the time of the process that computes, and of what it started and waited for.
    """

    step: Step
    before_monotonic_ns: int
    requests: tuple[RequestTimes, ...]
    after_monotonic_ns: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What an engine did.

    The first of the ``prefills`` is the first time that it saw such a prompt. ``without_reuse`` are chats for which it
    was told to process the whole conversation in every turn; empty if it cannot be told. ``left_running`` are the
    processes that were there when it had been closed.
    """

    subject: Subject
    facts: EngineHello
    prefills: tuple[Repetition, ...]
    decodes: tuple[Repetition, ...]
    chats: tuple[Repetition, ...]
    prompts_as_long: tuple[Repetition, ...]
    without_reuse: tuple[Repetition, ...]
    left_running: tuple[int, ...]

    def repetitions(self, kind: StepKind) -> tuple[Repetition, ...]:
        """Those of the steps of a kind."""
        return {StepKind.PREFILL: self.prefills, StepKind.DECODE: self.decodes, StepKind.CHAT: self.chats}[kind]


def live(subject: Subject, model: Path) -> Life:
    """Have an engine live."""
    return asyncio.run(_live(subject, model))


async def _live(subject: Subject, model: Path) -> Life:
    process = await start(subject)
    try:
        await load(process, model)
        await process.warm_up(DECODE)
        if not subject.capabilities.own_process:
            # A server's first answers cost it more than work, and a warm-up's prompt never comes again.
            await process.warm_up(PREFILL)
        prefills = await _repeat(process, PREFILL, 1 + _TRIES)
        decodes = await _repeat(process, DECODE)
        chats = await _repeat(process, CHAT)
        prompts_as_long = await _repeat(process, SAME_TOKENS)
        without_reuse = await _chats_without_reuse(process, model, subject.without_reuse)
        pids = (process.pid, process.workload_pid)
    finally:
        await process.close()
    return Life(
        subject=subject,
        facts=process.facts,
        prefills=prefills,
        decodes=decodes,
        chats=chats,
        prompts_as_long=prompts_as_long,
        without_reuse=without_reuse,
        left_running=tuple(pid for pid in (*pids, *_children()) if pid and psutil.pid_exists(pid)),
    )


async def _chats_without_reuse(
    process: EngineProcess, model: Path, options: Mapping[str, str]
) -> tuple[Repetition, ...]:
    if not options:
        return ()
    await load(process, model, options)
    await process.warm_up(DECODE)
    return await _repeat(process, CHAT, 1)


async def _repeat(process: EngineProcess, step: Step, times: int = _TRIES) -> tuple[Repetition, ...]:
    if step.kind.value not in process.facts.capabilities.step_kinds:
        return ()
    return tuple([await _repetition(process, step) for _ in range(times)])


async def _repetition(process: EngineProcess, step: Step) -> Repetition:
    computing = psutil.Process(process.workload_pid)
    before_seconds, before_ns = sum(computing.cpu_times()[:4]), monotonic_ns()
    requests = await process.run_step(step, lambda _: None)
    return Repetition(
        step=step,
        before_monotonic_ns=before_ns,
        requests=requests,
        after_monotonic_ns=monotonic_ns(),
        cpu_seconds=sum(computing.cpu_times()[:4]) - before_seconds,
    )


def _children() -> tuple[int, ...]:
    return tuple(child.pid for child in psutil.Process(os.getpid()).children(recursive=True))
