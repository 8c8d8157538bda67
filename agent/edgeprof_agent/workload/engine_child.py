"""The child process of an engine: its pipes, its silence and its end."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from edgeprof_agent.engines.ending import describe_status
from edgeprof_agent.workload.engine_launch import Launch
from edgeprof_agent.workload.engine_messages import EngineFailedError, Message, ProtocolError, read_message

LINE_BYTES = 1 << 20
ERROR_CHUNK_BYTES = 4096
ERROR_CHUNKS = 16
# How long a child may take to end once it has closed its output or was terminated; once it was asked to.
EXIT_SECONDS = 2.0
CLOSE_SECONDS = 5.0


class EngineChild:
    """A process that speaks the engine protocol on its standard input and output.

    It leads a process group, so that what it starts ends with it. Everything it must not do ends in an
    `EngineFailedError` from `read`, after the process has been ended.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._process = process
        self._commands = process.stdin
        self._messages = process.stdout
        self._error_chunks: deque[bytes] = deque(maxlen=ERROR_CHUNKS)
        self._error_reader = asyncio.ensure_future(self._keep_errors(process.stderr))
        self._reaped = False
        self.cause = ""

    @classmethod
    async def start(cls, launch: Launch) -> "EngineChild":
        """Start the process.

        Raises:
            EngineFailedError: it cannot be started.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.arguments,
                env=launch.environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_BYTES,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineFailedError(f"cannot start the engine: {launch.arguments[0]}: {error.strerror}") from error
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self._reaped and self._process.returncode is None

    def send(self, command: Mapping[str, object]) -> None:
        """Send a command. If the child is gone, the next `read` says so."""
        self._commands.write(msgspec.json.encode(command) + b"\n")

    async def read(self, doing: str, silence_seconds: float) -> tuple[int, Message]:
        """Read the next message and the id of the command it answers.

        Args:
            doing: what the child is busy with, for the error's text.
            silence_seconds: how long it may say nothing before it is killed.

        Raises:
            EngineFailedError: it ended, broke the protocol or fell silent; it is gone.
        """
        timer = asyncio.get_running_loop().call_later(
            silence_seconds,
            self._kill_because,
            f"the engine said nothing for {silence_seconds:g} s during {doing}, and was killed",
        )
        try:
            line = await self._messages.readline()
            if line.endswith(b"\n"):
                return read_message(line)
        except ProtocolError as error:
            raise await self.break_off(error, doing) from error
        except ValueError as error:  # of readline(): the line is longer than the stream's limit
            raise await self.break_off(ProtocolError(f"wrote a line of over {LINE_BYTES} bytes"), doing) from error
        finally:
            timer.cancel()
        raise await self._failure(doing)

    async def break_off(self, error: ProtocolError, doing: str) -> EngineFailedError:
        """End a child that does not keep to the protocol, and return the error to raise."""
        self._kill_because(f"the engine {error}, during {doing}")
        return await self._failure(doing)

    async def close(self) -> None:
        """Wait for the end of a child that was asked to close; then terminate it, then kill it."""
        loop = asyncio.get_running_loop()
        timers = (
            loop.call_later(CLOSE_SECONDS, self._signal, signal.SIGTERM),
            loop.call_later(CLOSE_SECONDS + EXIT_SECONDS, self._signal, signal.SIGKILL),
        )
        try:
            await self._reap()
        finally:
            for timer in timers:
                timer.cancel()

    def kill(self) -> None:
        """End the child and everything it started, now."""
        self._kill_because("the agent ended the engine")

    async def _failure(self, doing: str) -> EngineFailedError:
        """Wait for the end of a child that has closed its output, and return the error to raise."""
        timer = asyncio.get_running_loop().call_later(EXIT_SECONDS, self._outstay, doing)
        try:
            status = await self._reap()
        finally:
            timer.cancel()
        if not self.cause:
            self.cause = describe_status(status, doing, b"".join(self._error_chunks).decode(errors="replace"))
        return EngineFailedError(self.cause)

    def _outstay(self, doing: str) -> None:
        if self._process.returncode is None:
            self._kill_because(f"the engine closed its output during {doing}, and was killed")
        else:  # it has ended, and what it left behind keeps its pipes open
            self._signal(signal.SIGKILL)

    async def _reap(self) -> int:
        """Wait for the child's end, end what it has left behind, and let go of its pipes."""
        status = await self._process.wait()
        self._signal(signal.SIGKILL)
        self._reaped = True
        await asyncio.wait({self._error_reader})
        if not self._commands.is_closing():
            self._commands.transport.abort()
        with suppress(OSError):  # a command met its end, of which the status tells; Python 3.10 logs what nobody takes
            await self._commands.wait_closed()
        return status

    async def _keep_errors(self, stream: asyncio.StreamReader) -> None:
        """Read standard error to its end and keep the last of it."""
        while chunk := await stream.read(ERROR_CHUNK_BYTES):
            self._error_chunks.append(chunk)

    def _kill_because(self, cause: str) -> None:
        self.cause = self.cause or cause
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process group, as long as its number cannot have become another's."""
        if self._reaped:
            return
        # Nothing of the group is left; macOS says EPERM of a group whose last process is not reaped yet.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
