"""A real gRPC server that keeps what it is sent in memory, and can be made to misbehave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc.aio

from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof.v1.uplink_pb2 import (
    Ack,
    AgentMessage,
    CollectorMessage,
    Hello,
    JobStatus,
    JobStatusAck,
    Refused,
    Welcome,
)
from edgeprof.v1.uplink_pb2_grpc import UplinkServicer, add_UplinkServicer_to_server

Context = grpc.aio.ServicerContext[AgentMessage, CollectorMessage]


class SmallCollector(UplinkServicer):
    """Stores messages by the contract's rules, and demands that devices keep them.

    Attributes:
        stored: messages by (epoch, sequence).
        cut: asked for each message before it is stored; ``True`` breaks the stream.
        acknowledging: whether what is stored is acknowledged.
        refusal: the reason to refuse devices; empty to welcome them.
        outgoing: what to send to the device that is connected next, or now.
    """

    def __init__(self) -> None:
        self.cursors: dict[bytes, int] = {}
        self.stored: dict[tuple[bytes, int], AgentMessage] = {}
        self.hellos: list[Hello] = []
        self.layouts: dict[tuple[bytes, int], Layout] = {}
        self.statuses: list[JobStatus] = []
        self.acknowledging_statuses = True
        self.progresses: list[Any] = []
        self.changed_facts: list[DeviceFacts] = []
        self.cut: Callable[[AgentMessage], bool] = lambda _: False
        self.acknowledging = True
        self.refusal = ""
        self.outgoing: asyncio.Queue[CollectorMessage] = asyncio.Queue()
        self.changed = asyncio.Condition()
        self.faults: list[str] = []
        self.unacknowledged_peak = 0
        self.received = 0

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so, which may change whenever a message arrives."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), 30)

    async def Connect(  # noqa: N802  gRPC's name
        self, request_iterator: AsyncIterator[AgentMessage], context: Context
    ) -> None:
        """One stream of one device."""
        hello = (await anext(request_iterator)).hello
        self.hellos.append(hello)
        self.statuses += hello.jobs
        await self._notify()
        if self.refusal:
            await context.write(CollectorMessage(refused=Refused(reason=self.refusal)))
            return
        cursor = self.cursors.setdefault(hello.spool_epoch, 0)
        behind = hello.newest_sequence < cursor
        if hello.oldest_sequence > cursor + 1 and not behind:
            self.faults.append(f"{cursor + 1} to {hello.oldest_sequence - 1} were lost")
        welcome = Welcome(protocol=1, stored_sequence=cursor, new_epoch_required=behind)
        await context.write(CollectorMessage(welcome=welcome))
        if behind:
            return
        for status in hello.jobs:
            await self._acknowledge(status, context)
        talking = asyncio.ensure_future(self._talk(context))
        try:
            await self._listen(request_iterator, context, hello.spool_epoch)
        finally:
            talking.cancel()

    async def _talk(self, context: Context) -> None:
        while True:
            await context.write(await self.outgoing.get())

    async def _listen(self, messages: AsyncIterator[AgentMessage], context: Context, epoch: bytes) -> None:
        described: set[int] = set()
        async for message in messages:
            self.received += 1
            kind = message.WhichOneof("body")
            if kind == "layout":
                self._keep_layout(epoch, message.layout)
                described.add(message.layout.layout)
            elif kind == "job_status":
                self.statuses.append(message.job_status)
                await self._acknowledge(message.job_status, context)
            elif kind == "progress":
                self.progresses.append(message.progress)
            elif kind == "device":
                self.changed_facts.append(message.device)
            else:
                if self.cut(message):
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
                undescribed = {block.layout for block in message.frame.blocks} - described
                if undescribed:
                    self.faults.append(f"{message.sequence} uses layouts {undescribed}, which were not described")
                await self._store(epoch, message, context)
            await self._notify()

    async def _acknowledge(self, status: JobStatus, context: Context) -> None:
        if self.acknowledging_statuses:
            ack = JobStatusAck(job_id=status.job_id, state=status.state)
            await context.write(CollectorMessage(job_status_ack=ack))

    def _keep_layout(self, epoch: bytes, layout: Layout) -> None:
        if self.layouts.setdefault((epoch, layout.layout), layout) != layout:
            self.faults.append(f"layout {layout.layout} means two things")

    async def _store(self, epoch: bytes, message: AgentMessage, context: Context) -> None:
        cursor = self.cursors[epoch]
        if message.sequence > cursor:
            first = message.gap.first_sequence if message.HasField("gap") else message.sequence
            if first > cursor + 1:
                self.faults.append(f"{cursor + 1} to {first - 1} are missing")
            self.stored[epoch, message.sequence] = message
            self.cursors[epoch] = message.sequence
        if self.acknowledging:
            await context.write(CollectorMessage(ack=Ack(stored_sequence=self.cursors[epoch])))

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()


@contextlib.asynccontextmanager
async def serving(collector: SmallCollector, port: int = 0) -> AsyncIterator[int]:
    """Serve on a free port, or on one that was free before."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_UplinkServicer_to_server(collector, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield bound
    finally:
        await server.stop(None)
