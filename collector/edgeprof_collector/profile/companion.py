"""A process that lives as long as `edgeprof profile`: the embedded collector, or the local agent."""

import contextlib
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from edgeprof.errors import EdgeprofError


class Companion:
    """A child process that says when it is ready, and stops when its standard input is closed.

    It has a session of its own, so that Ctrl-C in the terminal reaches only the command that the person started.
    The kernel closes its input when that command dies, however it dies.
    """

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path, ready: dict[str, str]) -> None:
        self.name = name
        self.log = log
        self.ready = ready
        self._process = process

    @classmethod
    def start(cls, name: str, command: Sequence[str], folder: Path, patience_seconds: float = 60.0) -> "Companion":
        """Start ``command`` and wait until it has written its ready file.

        Args:
            name: what a person calls it, for messages.
            command: program and arguments; ``--ready-file`` and ``--exit-with-parent`` are added.
            folder: where its log and its ready file go.
            patience_seconds: how long to wait for the ready file.

        Raises:
            EdgeprofError: it ended, or was not ready in time; the text is its own last words. Or its log cannot be
                written.
        """
        log, ready_file = folder / f"{name}.log", folder / f"{name}.ready"
        _begin_log(log, command)
        ready_file.unlink(missing_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*command, "--ready-file", str(ready_file), "--exit-with-parent"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        companion = cls(name, process, log, {})
        deadline = time.monotonic() + patience_seconds
        while not ready_file.exists():
            if process.poll() is not None:
                raise EdgeprofError(f"the {name} did not start: {companion.last_words()}")
            if time.monotonic() > deadline:
                companion.stop()
                raise EdgeprofError(f"the {name} was not ready after {patience_seconds:.0f} s; its log is {log}")
            time.sleep(0.02)
        companion.ready = msgspec.json.decode(ready_file.read_bytes(), type=dict[str, str], strict=False)
        return companion

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """What ended it: a signal, or the last line of its log without the program's name before it."""
        status = self._process.poll()
        if status is not None and status < 0:
            return f"it was killed by {signal.Signals(-status).name}"
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if len(lines) < 2:  # the first is the command
            return f"it ended with status {status} and said nothing"
        return lines[-1].removeprefix("edgeprof-agent: ").removeprefix("edgeprof: ")

    def stop(self, patience_seconds: float = 10.0) -> None:
        """Close its input and wait until it has ended; insist when it does not."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it may have ended by itself
                self._process.stdin.close()
        if not self._ended_within(patience_seconds):
            self._process.terminate()
        if not self._ended_within(patience_seconds):
            self._process.kill()
            self._process.wait()

    def _ended_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __enter__(self) -> "Companion":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _begin_log(log: Path, command: Sequence[str]) -> None:
    """Write the log's first line here, where a folder that cannot be written is noticed."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"{shlex.join(command)}\n", encoding="utf-8")
    except OSError as error:
        raise EdgeprofError(
            f"{log} cannot be written: {error.strerror}; make room, or set XDG_STATE_HOME to another folder"
        ) from error
