"""Runs a program to its end, and notes when each line of its standard error came."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic_ns
from typing import Callable, NamedTuple, Sequence

_LIFELINE = str(Path(__file__).with_name("lifeline.py"))
_READ_BYTES = 65536
_CHECK_SECONDS = 0.25


class Line(NamedTuple):
    """A line of standard error, and when it was read."""

    monotonic_ns: int
    text: str


class ProgramEnded(NamedTuple):
    """How a program ended: ``status`` is its exit status, or a signal's number below zero."""

    status: int
    output: str
    lines: Sequence[Line]

    def ending(self) -> str:
        """The status in words."""
        if self.status < 0:
            return f"was ended by {signal.Signals(-self.status).name} (signal {-self.status})"
        return f"ended with exit status {self.status}"


def run_program(command: Sequence[str], check: Callable[[], None]) -> ProgramEnded:
    """Run a program; ``check`` is called a few times a second, and what it raises ends the program at once.

    The program ends with this process too, however that ends (Linux; see `lifeline`).
    """
    with subprocess.Popen(
        [sys.executable, _LIFELINE, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            output, lines = _read_to_the_end(process, check)
            return ProgramEnded(process.wait(), output.decode(errors="replace"), lines)
        finally:
            process.kill()  # without effect on one that has been waited for


def _read_to_the_end(process: "subprocess.Popen[bytes]", check: Callable[[], None]) -> tuple[bytes, list[Line]]:
    assert process.stdout
    assert process.stderr
    output, pending, lines = b"", b"", []
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(_CHECK_SECONDS)
            now_ns = monotonic_ns()
            check()
            for key, _ in ready:
                chunk = os.read(key.fd, _READ_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    output += chunk
                else:
                    *whole, pending = (pending + chunk).split(b"\n")
                    lines += [Line(now_ns, line.decode(errors="replace")) for line in whole]
    if pending:
        lines.append(Line(monotonic_ns(), pending.decode(errors="replace")))
    return output, lines
