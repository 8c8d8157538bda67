"""Asks the short-lived process for a model, so that numpy and gguf stay out of the agent."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.outline import ModelOutline


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """A line of the process; exactly one field is present."""

    outline: ModelOutline | None = None
    progress: float | None = None
    facts: ModelFacts | None = None
    error: str | None = None


def refuse_nothing(_: ModelOutline) -> None:
    """Take a model of any size."""


async def prepare_model(
    name: str,
    cache_folder: Path,
    on_progress: Callable[[float], None],
    refuse: Callable[[ModelOutline], None] = refuse_nothing,
) -> ModelFacts:
    """Return the facts of a model, fetching or writing it first if it is one of the Hub or a synthetic one.

    ``name`` is the path of a GGUF file or of a folder, ``hf:OWNER/REPOSITORY/FILE``, or a shape such as
    ``synth:llama-3.2-1b@q4_0``. ``refuse`` gets what is known before its bytes are hashed, fetched or written, and
    raises an `EdgeprofError` if that is not to be. ``on_progress`` gets the share that is done, from 0 to 1. When the
    task is cancelled, the process is ended and leaves nothing half-written.

    Raises:
        EdgeprofError: there is no such model, it cannot be read or written, or is refused.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edgeprof_agent.models", "--cache-folder", str(cache_folder), "--", name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    complaints = asyncio.ensure_future(_last_line(process.stderr))
    try:
        answer = await _answer(process, on_progress, refuse)
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        complaint = await complaints
    if answer.facts:
        return answer.facts
    raise EdgeprofError(answer.error or f"{name}: the process that prepares models ended with {status}: {complaint}")


async def _answer(
    process: asyncio.subprocess.Process,
    on_progress: Callable[[float], None],
    refuse: Callable[[ModelOutline], None],
) -> _Message:
    """Have the model refused or go on, and pass progress on, until the process has said its last; return that."""
    assert process.stdin
    message = _Message()
    async for line in _stream(process.stdout):
        message = msgspec.json.decode(line, type=_Message)
        if message.outline is not None:
            refuse(message.outline)
            process.stdin.write(b"\n")
        elif message.progress is not None:
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
