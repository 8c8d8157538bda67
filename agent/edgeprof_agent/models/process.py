"""Asks the short-lived process for a model, so that numpy and gguf stay out of the agent."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """A line of the process; exactly one field is present."""

    progress: float | None = None
    facts: ModelFacts | None = None
    error: str | None = None


async def prepare_model(name: str, cache_folder: Path, on_progress: Callable[[float], None]) -> ModelFacts:
    """Return the facts of a model, writing it first if it is a synthetic one that is not there.

    ``name`` is the path of a GGUF file or a shape such as ``synth:llama-3.2-1b@q4_0``. ``on_progress`` gets the share
    that is done, from 0 to 1, while a file is written or read whole. When the task is cancelled, the process is ended
    and leaves nothing half-written.

    Raises:
        EdgeprofError: there is no such model, or it cannot be read or written.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edgeprof_agent.models", "--cache-folder", str(cache_folder), "--", name),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        answer, complaints, status = await asyncio.gather(
            _answer(process, on_progress), _last_line(process.stderr), process.wait()
        )
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if answer.facts:
        return answer.facts
    raise EdgeprofError(answer.error or f"{name}: the process that prepares models ended with {status}: {complaints}")


async def _answer(process: asyncio.subprocess.Process, on_progress: Callable[[float], None]) -> _Message:
    """Pass progress on until the process has said its last; return that."""
    message = _Message()
    async for line in _stream(process.stdout):
        message = msgspec.json.decode(line, type=_Message)
        if message.progress is not None:
            on_progress(message.progress)
    return message


async def _last_line(pipe: asyncio.StreamReader | None) -> str:
    """The end of what the process said on standard error, such as the last line of a traceback."""
    lines = (await _stream(pipe).read()).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _stream(pipe: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if pipe is None:
        raise TypeError("the process was started with pipes")
    return pipe
