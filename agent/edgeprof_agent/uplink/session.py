"""One stream to the collector, from hello to its end."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import grpc.aio

from edgeprof.device import DeviceFacts
from edgeprof.job import JobCommand, JobState, JobStatus
from edgeprof.messages import from_message, to_message
from edgeprof.protocol import PROTOCOL_VERSION
from edgeprof.run import Progress
from edgeprof.v1.uplink_pb2 import (
    AgentMessage,
    CertificateIssued,
    CertificateRequest,
    CollectorMessage,
    Hello,
    JobStatusAck,
    Welcome,
)
from edgeprof.v1.uplink_pb2 import JobCommand as JobCommandMessage
from edgeprof_agent.uplink.ledger import Ledger
from edgeprof_agent.uplink.outbox import Outbox

_log = logging.getLogger(__name__)

# Messages on their way, not acknowledged yet; and how many are read from the spool at once.
_WINDOW = 256
_PAGE = 64
_WELCOME_SECONDS = 20.0
_TELL_AGAIN_SECONDS = 15.0
# A collector acknowledges within a second of storing. One that is silent for so long, though something waits, is better
# asked anew.
_SILENCE_SECONDS = 120.0

Call = grpc.aio.StreamStreamCall[AgentMessage, CollectorMessage]


class SessionEndedError(Exception):
    """The collector ended the stream; the text is its reason."""


class Commands(Protocol):
    """What the collector asks of the agent. Called on the event loop; must be quick."""

    def on_job(self, command: JobCommand) -> None:
        """Do this, or reject it."""

    def on_cancel(self, job_id: str) -> None:
        """Give this job up."""

    def on_settings(self, idle_frame_seconds: float) -> None:
        """Let idle frames last this long."""

    def on_certificate(self, issued: CertificateIssued) -> None:
        """Take a further certificate into use, or hear why there is none."""


class Session:
    """Sends what the outbox and the ledger hold over one call, and hears the collector.

    ``facts`` gives those of the device as they are now. They are told in the hello, and again when the outbox wakes the
    sender and they have changed. A collector that is silent for ``silence_seconds``, though something waits for it, is
    left.
    """

    def __init__(
        self,
        call: Call,
        *,
        facts: Callable[[], DeviceFacts],
        outbox: Outbox,
        ledger: Ledger,
        commands: Commands,
        silence_seconds: float = _SILENCE_SECONDS,
    ) -> None:
        self._call = call
        self._facts = facts
        self._told_facts = facts()
        self._outbox = outbox
        self._spool = outbox.spool
        self._ledger = ledger
        self._commands = commands
        self._silence_seconds = silence_seconds
        self._sent = 0
        self._unacknowledged: deque[int] = deque()
        self._described: set[int] = set()
        self._told: dict[str, JobStatus] = {}
        self._tell_again_timer: asyncio.TimerHandle | None = None
        self._progress: Progress | None = None
        self._certificate_request = ""
        self._asked_to_end = asyncio.Event()
        self._heard = asyncio.Event()
        self._heard_seconds = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """How long nothing has been heard though something waited for it; 0 when nothing waits."""
        if self._spool.empty:
            return 0.0
        return min(time.monotonic() - self._heard_seconds, self._spool.status().oldest_age_seconds)

    def report(self, progress: Progress) -> None:
        """Send how far a run is. Only the latest counts."""
        self._progress = progress
        self._outbox.wake.set()

    def request_certificate(self, request_pem: str) -> None:
        """Ask for a further certificate."""
        self._certificate_request = request_pem
        self._outbox.wake.set()

    def end(self) -> None:
        """End the stream."""
        self._asked_to_end.set()

    async def all_acknowledged(self) -> None:
        """Wait until the collector has acknowledged everything that there is."""
        while not self._spool.empty or self._ledger.untold():
            self._heard.clear()
            await self._heard.wait()

    async def open(self) -> bool:
        """Say hello and take the welcome. Return ``False`` if the spool has a new epoch: say hello with that.

        Raises:
            SessionEndedError: refused, or no welcome came.
            grpc.aio.AioRpcError: there is no collector, or no way to it.
            UnwritableError: the disk is full, and the spool cannot note how far the collector is.
        """
        await self._call.write(AgentMessage(hello=self._hello()))
        self._told = {status.job_id: status for status in self._ledger.untold()}
        answer = await self._answer()
        kind = answer.WhichOneof("body")
        if kind == "refused":
            raise SessionEndedError(f"it refuses this device: {answer.refused.reason}")
        if kind != "welcome":
            raise SessionEndedError(f"it answered the hello with '{kind}'")
        return self._take_welcome(answer.welcome)

    async def serve(self) -> None:
        """Send and receive until the stream ends, which it does by raising.

        Raises:
            SessionEndedError: the collector closed the stream.
            grpc.aio.AioRpcError: the connection broke.
        """
        tasks = {asyncio.ensure_future(each) for each in self._doing()}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            if self._tell_again_timer:
                self._tell_again_timer.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _doing(self) -> tuple[Coroutine[Any, Any, None], ...]:
        return self._receive(), self._send(), self._mind_silence(), self._end_when_asked()

    def _hello(self) -> Hello:
        clocks = self._outbox.clocks
        now = clocks.look()
        return Hello(
            protocol=PROTOCOL_VERSION,
            device=to_message(self._told_facts),
            boot_id=clocks.boot_id,
            spool_epoch=self._spool.epoch,
            oldest_sequence=self._spool.oldest_sequence,
            newest_sequence=self._spool.vouched_sequence,
            lives=self._spool.lives.names,
            monotonic_ns=now.monotonic_ns,
            slept_ns=now.slept_ns,
            wall_ns=max(now.wall_ns, 0),
            clocks=clocks.stretches,
            jobs=[to_message(status) for status in self._ledger.known()],
        )

    async def _answer(self) -> CollectorMessage:
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the answer.
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait({reading}, timeout=_WELCOME_SECONDS)
            if not reading.done():
                raise SessionEndedError(f"it did not answer for {_WELCOME_SECONDS:.0f} s")
            return reading.result()
        finally:
            reading.cancel()

    def _take_welcome(self, welcome: Welcome) -> bool:
        goes_on = self._spool.welcome(welcome.stored_sequence, welcome.new_epoch_required)
        self._sent = welcome.stored_sequence
        return goes_on

    async def _end_when_asked(self) -> None:
        await self._asked_to_end.wait()
        raise SessionEndedError("this end begins a new stream")

    async def _send(self) -> None:
        wake = self._outbox.wake
        try:
            while True:
                wake.clear()
                await self._send_facts()
                await self._send_statuses()
                await self._send_progress()
                await self._send_certificate_request()
                if not await self._send_page():
                    await wake.wait()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            return  # the stream is over: receiving tells why

    async def _send_page(self) -> bool:
        """Send some of what waits. Return whether there may be more, and room for it."""
        room = _WINDOW - len(self._unacknowledged)
        messages = self._spool.read_after(self._sent, min(_PAGE, room))
        for message in messages:
            await self._describe_layouts(message)
            self._unacknowledged.append(message.sequence)
            self._sent = message.sequence
            await self._call.write(message)
        return bool(messages)

    async def _describe_layouts(self, message: AgentMessage) -> None:
        for block in message.frame.blocks:
            if block.layout not in self._described:
                self._described.add(block.layout)
                await self._call.write(AgentMessage(layout=self._spool.layout(block.layout)))

    async def _send_statuses(self) -> None:
        untold = self._ledger.untold()
        for status in untold:
            if self._told.get(status.job_id) != status:
                self._told[status.job_id] = status
                await self._call.write(AgentMessage(job_status=to_message(status)))
        if untold and not self._tell_again_timer:
            loop = asyncio.get_running_loop()
            self._tell_again_timer = loop.call_later(_TELL_AGAIN_SECONDS, self._tell_again)

    async def _send_facts(self) -> None:
        facts = self._facts()
        if facts != self._told_facts:
            self._told_facts = facts
            await self._call.write(AgentMessage(device=to_message(facts)))

    async def _send_certificate_request(self) -> None:
        if self._certificate_request:
            wanted, self._certificate_request = self._certificate_request, ""
            await self._call.write(AgentMessage(certificate_request=CertificateRequest(request_pem=wanted)))

    async def _send_progress(self) -> None:
        if self._progress:
            progress, self._progress = self._progress, None
            await self._call.write(AgentMessage(progress=to_message(progress)))

    def _tell_again(self) -> None:
        """Have the statuses that nobody acknowledged told once more."""
        self._tell_again_timer = None
        self._told.clear()
        self._outbox.wake.set()

    async def _mind_silence(self) -> None:
        """End the stream if the collector falls silent."""
        while True:
            rest_seconds = self._silence_seconds - self.silent_seconds
            if rest_seconds <= 0:
                raise SessionEndedError(f"it has acknowledged nothing for {self._silence_seconds:.0f} s")
            await asyncio.sleep(rest_seconds)

    async def _receive(self) -> None:
        while True:
            self._hear(await self._read())

    async def _read(self) -> CollectorMessage:
        message = await self._call.read()
        if not isinstance(message, CollectorMessage):  # the mark of the stream's end
            raise SessionEndedError("it closed the stream")
        return message

    def _hear(self, message: CollectorMessage) -> None:
        self._heard.set()
        self._heard_seconds = time.monotonic()
        kind = message.WhichOneof("body")
        if kind == "ack":
            self._take_ack(message.ack.stored_sequence)
        elif kind == "job":
            self._take_job(message.job)
        elif kind == "cancel":
            self._commands.on_cancel(message.cancel.job_id)
        elif kind == "job_status_ack":
            self._take_status_ack(message.job_status_ack)
        elif kind == "settings":
            self._commands.on_settings(message.settings.idle_frame_seconds)
        elif kind == "certificate_issued":
            self._commands.on_certificate(message.certificate_issued)
        elif kind == "refused":
            raise SessionEndedError(f"it refuses this device: {message.refused.reason}")
        else:
            _log.debug("the collector sent '%s', which this version does not know", kind)

    def _take_ack(self, stored_sequence: int) -> None:
        stored = min(stored_sequence, self._sent)
        while self._unacknowledged and self._unacknowledged[0] <= stored:
            self._unacknowledged.popleft()
        self._outbox.acknowledge(stored)

    def _take_status_ack(self, ack: JobStatusAck) -> None:
        status = self._ledger.status(ack.job_id)
        if status and to_message(status).state == ack.state:
            self._ledger.acknowledge(status)

    def _take_job(self, message: JobCommandMessage) -> None:
        try:
            command = from_message(JobCommand, message)
        except ValueError as error:
            reason = f"this version of edgeprof-agent does not understand the job: {error}"
            self._ledger.record(
                JobStatus(job_id=message.job_id, version=message.version, state=JobState.REJECTED, reason=reason)
            )
            self._outbox.wake.set()
            return
        self._commands.on_job(command)
