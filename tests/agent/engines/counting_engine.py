#!/usr/bin/env python3
"""An engine that counts: the whole child of edgeprof, under any Python, with nothing installed.

Its option ``behaviour`` makes it do with every token what engines should not do.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "agent"))

from edgeprof_agent.engines.channel import Channel
from edgeprof_agent.engines.engine import Capabilities, EngineError, Loaded
from edgeprof_agent.engines.lifeline import die_with_parent
from edgeprof_agent.engines.options import Option
from edgeprof_agent.engines.serve import serve
from edgeprof_agent.engines.token_engine import TokenEngine


def chatter() -> None:
    """Write on standard output in every way there is."""
    sys.stdout.write("rubbish of Python\n")
    sys.stdout.flush()
    os.write(1, b"rubbish of a system call\n")
    libc = ctypes.CDLL(None)
    libc.puts(b"rubbish of C")
    libc.fflush(None)
    subprocess.run(["echo", "rubbish of a child"], check=True)


def tell_pipe() -> None:
    """Say on the test's pipe that the step has begun, and hold it open until this process ends."""
    os.write(os.open(os.environ["EDGEPROF_TEST_PIPE"], os.O_WRONLY), b".")


def hold() -> None:
    """Stay in a C call that never lets go of Python's lock."""
    tell_pipe()
    ctypes.PyDLL(None).sleep(600)


def hang() -> None:
    """Stay in a C call that does let go of it."""
    tell_pipe()
    ctypes.CDLL(None).sleep(600)


def leave_child() -> None:
    """Crash, and leave a process that would live on, with the test's pipe and this one's standard error open."""
    pipe = os.open(os.environ["EDGEPROF_TEST_PIPE"], os.O_WRONLY)
    subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL, stdout=pipe)
    os.write(pipe, b".")
    os.abort()


def refuse() -> None:
    raise EngineError("it would rather not")


def fail() -> None:
    raise RuntimeError("something nobody expected")


BEHAVIOURS = {
    "count": lambda: None,
    "chatter": chatter,
    "hang": hang,
    "hold": hold,
    "abort": os.abort,
    "leave_child": leave_child,
    "refuse": refuse,
    "fail": fail,
}


CAPABILITIES = Capabilities(token_steps=True, logits=False, parallel_sequences=1, prefix_reuse=True)


class CountingEngine(TokenEngine):
    name = "counting"
    version = "1"
    build = "none"
    options = (
        Option("behaviour", "choice", "count", "what it does with every token", choices=tuple(BEHAVIOURS)),
        Option("token_microseconds", "integer", "0", "how long a token takes", minimum=0),
    )

    def __init__(self) -> None:
        self._length = 0
        self._options: Mapping[str, Any] = {}

    @property
    def context_length(self) -> int:
        return self._length

    def load(self, path: str, options: Mapping[str, Any], context_tokens: int, seed: int) -> Loaded:
        self._options = options
        return Loaded({name: str(value) for name, value in options.items()}, None, None, None)

    def unload(self) -> None:
        self._length = 0

    def rewind(self, length: int, check: Callable[[], None]) -> None:
        self._length = length

    def process(self, count: int, check: Callable[[], None]) -> None:
        BEHAVIOURS[self._options["behaviour"]]()
        time.sleep(count * self._options["token_microseconds"] / 1e6)
        self._length += count


if __name__ == "__main__":
    channel = Channel.take_standard_streams()
    die_with_parent()
    serve(channel, CountingEngine(), CAPABILITIES)
