"""One device's stream, from its hello to its end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from urllib.parse import unquote

import grpc
from google.protobuf.message import DecodeError

from edgeprof.job import JobStatus
from edgeprof.messages import from_message
from edgeprof.protocol import PROTOCOL_VERSION
from edgeprof.run import Progress
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof.v1.uplink_pb2 import AgentMessage, CollectorMessage, Hello, Refused, Welcome
from edgeprof.v1.uplink_pb2 import JobStatus as JobStatusMessage
from edgeprof_collector.enrolment.gatekeeper import Peer, UnwelcomeError
from edgeprof_collector.intake.aftermath import Aftermath
from edgeprof_collector.intake.checks import hello_fault, other_machine
from edgeprof_collector.intake.ending import STORE_FAILS, Refusal, RefusedThing, StreamEndedError
from edgeprof_collector.intake.inbox import Inbox
from edgeprof_collector.intake.outbox import Outbox
from edgeprof_collector.intake.parties import Parties
from edgeprof_collector.intake.reception import Reception
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Admission, Greeting

_log = logging.getLogger(__name__)

HELLO_SECONDS = 20.0
# How long a stream that ends may take to have its last messages stored and acknowledged.
SETTLE_SECONDS = 5.0

Context = grpc.aio.ServicerContext[bytes, CollectorMessage]


class DeviceStream:
    """Serves one call of ``Uplink.Connect``, in the task that makes it.

    Args:
        payloads: what comes up, not parsed.
        context: the call's.
        parties: who takes part.
    """

    def __init__(self, payloads: AsyncIterator[bytes], context: Context, parties: Parties) -> None:
        self._payloads = payloads
        self._context = context
        self._parties = parties
        self._task = asyncio.current_task()
        self._ending: StreamEndedError | None = None
        self._device_id = self._hostname = ""
        self.lives: tuple[bytes, ...] = (b"",)
        self.peer: Peer | None = None

    @property
    def name(self) -> str:
        """The host at the other end and its address, for people."""
        peer = unquote(self._context.peer())
        return f"{self._hostname} at {peer}" if self._hostname else peer

    def end(self, code: grpc.StatusCode, reason: str) -> None:
        """End the stream soon, and tell the device why."""
        if self._ending is None and self._task:
            self._ending = StreamEndedError(code, reason)
            self._task.cancel()

    async def serve(self) -> None:
        """Serve until the device goes.

        Raises:
            StreamEndedError: this side has ended the stream.
        """
        try:
            hello = await self._hello()
            if refusal := await self._examine(hello) or self._enter(hello):
                _log.warning("%s is refused: %s", self.name, refusal.reason)
                self._parties.health.refusals.labels(refusal.thing.value).inc()
                await self._context.write(CollectorMessage(refused=Refused(reason=refusal.reason)))
                return
            try:
                await self._welcome(hello)
            finally:
                self._leave()
        except asyncio.CancelledError:
            if self._ending is None:
                raise  # the device is gone
            raise self._ending from None
        except StoreError as error:
            _log.error("%s; %s will try again", error, self._device_id)
            raise StreamEndedError(grpc.StatusCode.UNAVAILABLE, STORE_FAILS) from None

    async def _examine(self, hello: Hello) -> Refusal | None:
        """Look at what the device says and shows; say why it is refused."""
        if fault := hello_fault(hello):
            return Refusal(RefusedThing.HELLO, fault)
        if self._parties.admission:
            try:
                self.peer = await self._parties.admission.admit(self._context.auth_context(), hello.device.device_id)
            except UnwelcomeError as error:
                return Refusal(RefusedThing.CERTIFICATE, str(error))
        return None

    def _enter(self, hello: Hello) -> Refusal | None:
        """Take the device's place among the streams; or say why it is refused."""
        self._device_id, self._hostname = hello.device.device_id, hello.device.hostname
        self.lives = tuple(hello.lives) or self.lives
        return self._parties.connections.enter(self._device_id, self)

    async def _hello(self) -> Hello:
        try:
            first = AgentMessage.FromString(await asyncio.wait_for(self._payloads.__anext__(), HELLO_SECONDS))
        except StopAsyncIteration:
            raise StreamEndedError(grpc.StatusCode.CANCELLED, "the stream ended without a hello") from None
        except asyncio.TimeoutError:
            raise StreamEndedError(grpc.StatusCode.DEADLINE_EXCEEDED, "no hello came") from None
        except DecodeError:
            raise StreamEndedError(grpc.StatusCode.INVALID_ARGUMENT, "the hello cannot be parsed") from None
        if not first.HasField("hello"):
            raise StreamEndedError(grpc.StatusCode.INVALID_ARGUMENT, "the first message is no hello")
        return first.hello

    async def _welcome(self, hello: Hello) -> None:
        admission = await self._admit(hello)
        now = time.time_ns()
        self._parties.connections.clock(self._device_id).hello(
            hello.boot_id, hello.monotonic_ns + hello.slept_ns, now, hello.clocks
        )
        welcome = Welcome(
            protocol=PROTOCOL_VERSION,
            stored_sequence=admission.stored_sequence,
            new_epoch_required=admission.new_epoch_required,
            wall_ns=now,
        )
        await self._context.write(CollectorMessage(welcome=welcome))
        if admission.new_epoch_required:
            why = "is not the only one with a copy of its spool" if admission.superseded else "lost its newest messages"
            _log.info("%s %s: it begins a new epoch", self.name, why)
            return
        for listener in self._parties.listeners:
            listener.on_connected(self._device_id)
        await self._exchange(hello, admission.stored_sequence)

    async def _admit(self, hello: Hello) -> Admission:
        greeting = Greeting(
            hello.device, hello.spool_epoch, hello.oldest_sequence, hello.newest_sequence, time.time_ns(), self.lives
        )
        try:
            admission = await self._parties.writer.admit(greeting)
        except StoreError:  # the writer has said why
            raise StreamEndedError(grpc.StatusCode.UNAVAILABLE, STORE_FAILS) from None
        if difference := other_machine(admission.former, hello.device):
            _log.warning("%s is another machine than before: %s", self._device_id, difference)
        if lost := admission.lost:
            self._parties.health.gaps.inc()
            for listener in self._parties.listeners:
                listener.on_lost(self._device_id, lost.last_sequence - lost.first_sequence + 1)
            _log.warning(
                "%s no longer has its messages %d to %d, which never came",
                self._device_id,
                lost.first_sequence,
                lost.last_sequence,
            )
        return admission

    async def _exchange(self, hello: Hello, stored_sequence: int) -> None:
        """Take in what comes up, and send what is to go down, until either side ends it."""
        parties = self._parties
        layouts: dict[int, Layout] = {}
        outbox = Outbox(self._context.write, self._not_reading, stored_sequence)
        aftermath = Aftermath(self._device_id, layouts, outbox, parties, self.end, stored_sequence)
        inbox = Inbox(self._device_id, hello.spool_epoch, self.lives[0], aftermath.committed, aftermath.failed)
        reception = Reception(
            inbox=inbox,
            layouts=layouts,
            writer=parties.writer,
            clock=parties.connections.clock(self._device_id),
            health=parties.health,
            limits=parties.limits,
            received=stored_sequence,
        )
        sending = asyncio.ensure_future(outbox.run())
        try:
            known = [status for message in hello.jobs if (status := _status(message))]
            await parties.jobs.device_connected(self._device_id, known, outbox.put)
            async for payload in self._payloads:
                message = await reception.take(payload)
                if message is not None:
                    await self._hear(message, inbox, outbox)
        finally:
            try:
                if not self._is_cut_off:
                    await _settle(inbox, outbox, sending)
            finally:  # a device that is gone interrupts the wait
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)  # its last write may have failed

    @property
    def _is_cut_off(self) -> bool:
        """Whether the device is out at once: it was revoked."""
        return self._ending is not None and self._ending.code is grpc.StatusCode.PERMISSION_DENIED

    async def _hear(self, message: AgentMessage, inbox: Inbox, outbox: Outbox) -> None:
        """Take what is not for the store. Kinds that this version does not know are left out."""
        if message.HasField("job_status"):
            await inbox.empty()  # what a job has done is stored before its state is
            if status := _status(message.job_status):
                await self._parties.jobs.status_reported(self._device_id, status)
        elif message.HasField("progress"):
            try:
                self._parties.jobs.progress_reported(from_message(Progress, message.progress))
            except ValueError as error:
                _log.debug("%s: progress that this version does not understand: %s", self._device_id, error)
        elif message.HasField("device") and message.device.device_id == self._device_id:
            await self._parties.writer.describe(message.device)
        elif message.HasField("certificate_request") and self._parties.admission:
            outbox.put(await self._parties.admission.renew(self._device_id, message.certificate_request))

    def _not_reading(self) -> None:
        self.end(grpc.StatusCode.RESOURCE_EXHAUSTED, "the device does not read what it is sent")

    def _leave(self) -> None:
        if not self._parties.connections.leave(self._device_id, self):
            return  # a newer stream has taken over
        self._parties.jobs.device_disconnected(self._device_id)
        for listener in self._parties.listeners:
            listener.on_disconnected(self._device_id)


async def _settle(inbox: Inbox, outbox: Outbox, sending: "asyncio.Future[None]") -> None:
    """Wait until what came is stored and acknowledged, but neither for ever nor for a device that cannot hear it."""

    async def acknowledged() -> None:
        await inbox.empty()
        await outbox.idle()

    settled = asyncio.ensure_future(acknowledged())
    try:
        await asyncio.wait({settled, sending}, timeout=SETTLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        settled.cancel()


def _status(message: JobStatusMessage) -> JobStatus | None:
    try:
        return from_message(JobStatus, message)
    except ValueError as error:
        _log.warning("job %s: a status that this version does not understand: %s", message.job_id, error)
        return None
