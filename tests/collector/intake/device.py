"""Both ends of a real stream over loopback: a collector's intake, and a device that a test speaks for."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof.v1.uplink_pb2 import AgentMessage, CollectorMessage, Hello, JobStatus, Welcome
from edgeprof.v1.uplink_pb2_grpc import UplinkStub
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.intake.listener import IntakeListener
from edgeprof_collector.intake.service import Intake
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.trust.authority import SERVER_NAME
from tests.collector.store.samples import (
    BOOT,
    DEVICE,
    EPOCH,
    LIFE,
    SECOND_NS,
    facts_message,
    frame_message,
    layout,
)

PATIENCE_SECONDS = 30.0
LAYOUT = AgentMessage(layout=layout())


def run_frames(first: int, last: int) -> list[AgentMessage]:
    """Frames of one run with these sequences, in ``LAYOUT``."""
    return [frame_message(sequence, run_id="run-1") for sequence in range(first, last + 1)]


@dataclass
class Heard:
    """A listener that keeps what it hears."""

    connections: list[tuple[str, bool]] = field(default_factory=list)
    frames: list[tuple[str, Mapping[int, Layout], Frame]] = field(default_factory=list)
    finished_runs: list[str] = field(default_factory=list)
    lost: list[tuple[str, int]] = field(default_factory=list)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    def on_connected(self, device_id: str) -> None:
        self.connections.append((device_id, True))

    def on_disconnected(self, device_id: str) -> None:
        self.connections.append((device_id, False))
        self.disconnected.set()

    def on_lost(self, device_id: str, messages: int) -> None:
        self.lost.append((device_id, messages))

    def on_frame(self, device_id: str, layouts: Mapping[int, Layout], frame: Frame) -> None:
        self.frames.append((device_id, layouts, frame))


class Device:
    """A device's end of a stream."""

    def __init__(
        self,
        port: int,
        device_id: str = DEVICE,
        epoch: bytes = EPOCH,
        lives: Sequence[bytes] = (LIFE,),
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self.device_id = device_id
        self.epoch = epoch
        self.lives = lives
        self.stored = 0
        self.heard: list[CollectorMessage] = []
        self._channel = _channel(f"127.0.0.1:{port}", credentials)
        self._call = UplinkStub(self._channel).Connect()

    def hello(self, oldest: int = 0, newest: int = 0, jobs: Sequence[JobStatus] = ()) -> Hello:
        return Hello(
            protocol=1,
            device=facts_message(self.device_id),
            boot_id=BOOT,
            spool_epoch=self.epoch,
            oldest_sequence=oldest,
            newest_sequence=newest,
            monotonic_ns=1000 * SECOND_NS,
            jobs=jobs,
            lives=self.lives,
        )

    async def connect(self, oldest: int = 0, newest: int = 0, jobs: Sequence[JobStatus] = ()) -> Welcome:
        await self.send(AgentMessage(hello=self.hello(oldest, newest, jobs)))
        message = await self.next()
        assert message.HasField("welcome"), message
        self.stored = message.welcome.stored_sequence
        return message.welcome

    async def send(self, *messages: AgentMessage) -> None:
        for message in messages:
            await self._call.write(message)

    async def next(self) -> CollectorMessage:
        message = await asyncio.wait_for(self._call.read(), PATIENCE_SECONDS)
        assert isinstance(message, CollectorMessage), "the stream has ended"
        self.stored = max(self.stored, message.ack.stored_sequence)
        return message

    async def acknowledged(self, sequence: int) -> None:
        """Read until everything up to ``sequence`` is acknowledged; other messages go to ``heard``."""
        while self.stored < sequence:
            message = await self.next()
            if not message.HasField("ack"):
                self.heard.append(message)

    async def hear(self, kind: str) -> CollectorMessage:
        """Read until a message of a kind comes, acknowledgements left out."""
        while True:
            message = await self.next()
            if message.WhichOneof("body") == kind:
                return message

    async def done(self) -> None:
        """Say that nothing more comes."""
        await self._call.done_writing()

    async def end(self) -> tuple[grpc.StatusCode, str]:
        """Wait until the collector ends the stream, and return how."""
        with suppress(grpc.aio.AioRpcError, AssertionError):
            while True:
                await self.next()
        return await self._call.code(), await self._call.details() or ""

    async def close(self) -> None:
        self._call.cancel()
        await self._channel.close()


def _channel(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    options = [("grpc.use_local_subchannel_pool", 1)]
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=options)
    named = ("grpc.ssl_target_name_override", SERVER_NAME)
    return grpc.aio.secure_channel(address, credentials, options=[*options, named])


@dataclass
class RunningIntake:
    store: Store
    jobs: JobQueue
    health: CollectorHealth
    heard: Heard
    listeners: list[IntakeListener]
    intake: Intake
    port: int
    devices: list[Device] = field(default_factory=list)

    def device(self, device_id: str = DEVICE, epoch: bytes = EPOCH, lives: Sequence[bytes] = (LIFE,)) -> Device:
        device = Device(self.port, device_id, epoch, lives)
        self.devices.append(device)
        return device

    async def connected(self, device_id: str = DEVICE) -> Device:
        device = self.device(device_id)
        await device.connect()
        return device


@asynccontextmanager
async def running_intake(
    folder: Path, limits: IntakeLimits | None = None, store: Store | None = None, *, host: str = "127.0.0.1"
) -> AsyncIterator[RunningIntake]:
    store = store or SqliteStore(folder / "edgeprof.sqlite")
    jobs, health, heard = JobQueue(store), CollectorHealth(), Heard()
    listeners: list[IntakeListener] = [heard]
    intake = Intake(
        store, jobs, health=health, limits=limits, listeners=listeners, on_run_finished=heard.finished_runs.append
    )
    running = RunningIntake(store, jobs, health, heard, listeners, intake, await intake.start(host, 0))
    writing = asyncio.create_task(intake.run())
    try:
        yield running
    finally:
        for device in running.devices:
            await device.close()
        await intake.stop()
        await writing
        store.close()
