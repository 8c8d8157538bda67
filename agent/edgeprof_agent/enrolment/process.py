"""Asks the short-lived process, so that cryptography stays out of the agent."""

import asyncio
import sys
from pathlib import Path

import msgspec

from edgeprof.errors import EdgeprofError
from edgeprof_agent.enrolment.messages import Accepting, Answer, Done, KeyRequest


async def new_request(state_folder: Path) -> KeyRequest:
    """Make a new key, and a request for a certificate for it.

    Raises:
        EdgeprofError: it cannot be done; the text says why.
    """
    done = await _do("request", state_folder)
    assert done.made is not None
    return done.made


async def take_into_use(state_folder: Path, made: KeyRequest, answer: Answer) -> None:
    """Keep a further certificate and its key.

    Raises:
        EdgeprofError: it cannot be done; the text says why.
    """
    await _do("accept", state_folder, msgspec.json.encode(Accepting(made=made, answer=answer)))


async def renew_late(state_folder: Path) -> None:
    """Have a certificate that has ended renewed by the collector, and keep it.

    Raises:
        EdgeprofError: it cannot be done; the text says why.
    """
    await _do("renew-late", state_folder)


async def _do(task: str, state_folder: Path, given: bytes = b"") -> Done:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edgeprof_agent.enrolment", task, str(state_folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, complaints = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    try:
        done = msgspec.json.decode(said, type=Done)
    except msgspec.DecodeError as error:
        words = complaints.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise EdgeprofError(f"the process for keys ended with {process.returncode}: {words[-1]}") from error
    if done.error:
        raise EdgeprofError(done.error)
    return done
