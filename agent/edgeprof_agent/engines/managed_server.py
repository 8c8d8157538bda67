"""A server that runs for as long as its model is loaded."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Callable

from .ending import describe_status, last_words
from .engine import EngineError
from .process_family import descendants
from .server_setup import Command

_LAUNCHER = Path(__file__).with_name("launch_server.py")
_KEPT_BYTES = 16384
_LOOK_SECONDS = 0.05
# How long it may take to end when it is asked to; the agent kills all of the engine's processes 7 s after `close`.
_STOP_SECONDS = 4.0
# How long after a broken connection the end of a dying server becomes visible.
_DEATH_SECONDS = 1.0


class ManagedServer:
    """A server in a process of its own, started with `start` and ended with `stop`.

    It stays in the engine's process group, and ends with the engine at the latest. What it prints is read and
    thrown away, but for the end, which may say why it died.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self._name = name
        self._process = process
        self._output = b""
        self._reader = threading.Thread(target=self._read, name="server-output", daemon=True)
        self._reader.start()

    @classmethod
    def start(cls, name: str, command: Command) -> ManagedServer:
        """Start the server.

        Raises:
            EngineError: its program is not there.
        """
        program = command.arguments[0]
        found = shutil.which(program, path=os.environ.get("PATH"))
        if found is None:
            raise EngineError(
                f"{name} cannot be started: there is no program '{program}'; install it, or say where it is: 'program' "
                f"under [servers.{name}] in the agent's configuration"
            )
        if command.folder and not Path(command.folder).is_dir():
            raise EngineError(f"{name} cannot be started in '{command.folder}': there is no such folder")
        process = subprocess.Popen(
            [sys.executable, "-S", str(_LAUNCHER), found, *command.arguments[1:]],
            env={**os.environ, **command.environment},
            cwd=command.folder or None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return cls(name, process)

    @property
    def process_id(self) -> int:
        """The server's process id."""
        return self._process.pid

    def await_ready(
        self, is_ready: Callable[[], bool], has_failed: Callable[[], bool], patience_seconds: float
    ) -> None:
        """Wait until ``is_ready`` says so.

        Raises:
            EngineError: it ended, ``has_failed`` says that it never will be ready, or it was not in time; it is
                stopped then.
        """
        deadline = time.monotonic() + patience_seconds
        while not is_ready():
            if cause := self.death("its start", wait_seconds=0.0):
                raise EngineError(cause)
            if has_failed():
                self.stop()
                raise EngineError(f"{self._name} failed to start; it said: {last_words(self._said())}")
            if time.monotonic() > deadline:
                self.stop()
                raise EngineError(
                    f"{self._name} was not ready after {patience_seconds:g} s, and was ended; "
                    "the option 'ready_seconds' gives it more time"
                )
            time.sleep(_LOOK_SECONDS)
        if cause := self.death("its start", wait_seconds=0.0):
            raise EngineError(f"{cause}; another server answers on its port")

    def death(self, doing: str, wait_seconds: float = _DEATH_SECONDS) -> str:
        """Why the server ended, in one line; empty if it is alive."""
        try:
            status = self._process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            return ""
        self._reader.join(_DEATH_SECONDS)
        return describe_status(status, doing, self._said(), self._name)

    def has_said(self, text: str) -> bool:
        """Whether a text is in the end of what it has printed."""
        return text in self._said()

    def stop(self) -> None:
        """End the server and what it has started: ask, then kill."""
        family = descendants(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in family:
            with suppress(ProcessLookupError):  # it has ended with its parent
                if os.getpgid(pid) == os.getpgrp():  # and its number is not another's by now
                    os.kill(pid, signal.SIGKILL)
        self._reader.join(_DEATH_SECONDS)
        if self._process.stdout and not self._reader.is_alive():
            self._process.stdout.close()

    def _said(self) -> str:
        return self._output.decode(errors="replace")

    def _read(self) -> None:
        assert self._process.stdout
        while piece := os.read(self._process.stdout.fileno(), 4096):
            self._output = (self._output + piece)[-_KEPT_BYTES:]


def choose_port(wanted: int, name: str) -> int:
    """Return the port that is wanted, or for 0 a free one.

    Raises:
        EngineError: somebody else listens there.
    """
    with socket.socket() as probe:
        # As servers do, so that connections of the server before that are not closed yet do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise EngineError(
                f"{name} cannot listen on port {wanted}: {error.strerror}; leave the option 'port' out, and a free one "
                "is taken"
            ) from error
        port: int = probe.getsockname()[1]
        return port
