"""A program that prints a line, or some lines that belong together, now and then; and the latest of it."""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

_LONGEST_LINE = 65536
_LONGEST_RECORD = 1 << 20
_STALE_SECONDS = 5.0
_FIRST_LINE_SECONDS = 10.0
_END_SECONDS = 2.0


class LineProcessError(Exception):
    """The program cannot be started, has ended, or has fallen silent."""


class LineProcess:
    """Runs the program in a process of its own, and starts it anew when it was lost.

    A thread reads what it prints, so that nobody waits for it. Its standard input is a pipe that ends with us.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        last_line: bytes | None = None,
        on_record: Callable[[bytes], object] | None = None,
    ) -> None:
        """Prepare to run the program.

        Args:
            command: the program and its arguments.
            environment: its environment; ours if ``None``.
            last_line: lines belong together up to one that begins so; ``None`` if each stands alone.
            on_record: is called on the reading thread with each line, or lines that belong together.
        """
        self._start = partial(_Run, tuple(command), environment, last_line, on_record)
        self._run: _Run | None = None

    def latest(self) -> bytes | None:
        """Return the latest line; ``None`` if the program has just been started and said nothing yet.

        Raises:
            LineProcessError: it cannot be started, or ended or fell silent since. The next call starts it anew.
        """
        if self._run is None:
            self._run = self._start()
        try:
            return self._run.latest()
        except LineProcessError:
            self.close()
            raise

    def first(self, timeout_seconds: float) -> bytes | None:
        """Start the program and wait for its first line; ``None`` if none came in time.

        Raises:
            LineProcessError: it cannot be started, or has ended.
        """
        self.latest()
        if self._run is not None:
            self._run.arrived.wait(timeout_seconds)
        return self.latest()

    def close(self) -> None:
        """End the program."""
        if self._run is not None:
            self._run.close()
            self._run = None


class _Run:
    """The program from one start to its end."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None,
        last_line: bytes | None,
        on_record: Callable[[bytes], object] | None,
    ) -> None:
        self.arrived = threading.Event()
        self._last_line = last_line
        self._on_record = on_record
        self._program = command[0]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=None if environment is None else dict(environment),
            )
        except OSError as error:
            raise LineProcessError(f"{command[0]} cannot be started: {error.strerror or error}") from error
        self._latest: tuple[bytes, float] | None = None
        self._returned: tuple[bytes, float] | None = None
        self._ended = False
        self._started = time.monotonic()
        self._reader = threading.Thread(target=self._read, name="line-process", daemon=True)
        self._reader.start()

    def latest(self) -> bytes | None:
        """Return the latest line, unless the program has ended or is silent for too long.

        What it said last is returned once after its end, since that may be why it ended.
        """
        has_ended, now, latest = self._ended, time.monotonic(), self._latest
        if has_ended and latest is self._returned:
            raise LineProcessError(f"{self._program} has ended")
        self._returned = latest
        if latest is None:
            if now - self._started > _FIRST_LINE_SECONDS:
                raise LineProcessError(f"{self._program} says nothing")
            return None
        line, arrived = latest
        if now - arrived > _STALE_SECONDS:
            raise LineProcessError(f"{self._program} has fallen silent")
        return line

    def close(self) -> None:
        """End the program and wait for its end."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:  # it does not listen
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._reader.join(_END_SECONDS)  # it would wait on for a child of the program that holds the pipe

    def _read(self) -> None:
        output = self._process.stdout
        assert output is not None
        record = b""
        with output:
            while line := output.readline(_LONGEST_LINE):
                if not line.endswith(b"\n"):  # it was cut: by the program's end, or for its length
                    record = b""
                    continue
                record = (record + line)[-_LONGEST_RECORD:]
                if self._last_line is None or line.startswith(self._last_line):
                    self._keep(record)
                    record = b""
        self._ended = True
        self.arrived.set()

    def _keep(self, record: bytes) -> None:
        if self._on_record is not None:
            self._on_record(record)
        self._latest = (record, time.monotonic())
        self.arrived.set()
