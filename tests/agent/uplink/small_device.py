"""A device reduced to its end of the stream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from edgeprof.device import DeviceFacts
from edgeprof.job import JobCommand
from edgeprof.telemetry import Channel, SampledBlock, SampledFrame
from edgeprof.v1.uplink_pb2 import CertificateIssued
from edgeprof_agent.uplink.backoff import Backoff
from edgeprof_agent.uplink.clocks import Clocks
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.ledger import Ledger
from edgeprof_agent.uplink.outbox import Outbox
from edgeprof_agent.uplink.session import Session
from edgeprof_agent.uplink.spool import Spool
from edgeprof_agent.uplink.stream import Uplink
from tests.agent.uplink.spooling import ROOMY

FACTS = DeviceFacts(
    device_id="device-1",
    hostname="bench",
    architecture="x86_64",
    logical_cores=2,
    memory_total_bytes=2**30,
    os="Linux",
    kernel="6",
    agent_version="0",
)
BOOT_ID = bytes(range(16))


@dataclass
class Wishes:
    """What the collector asked for."""

    jobs: list[JobCommand] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    idle_frame_seconds: list[float] = field(default_factory=list)
    cancelled_one: asyncio.Event = field(default_factory=asyncio.Event)

    def on_job(self, command: JobCommand) -> None:
        self.jobs.append(command)

    def on_cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)
        self.cancelled_one.set()

    def on_certificate(self, issued: CertificateIssued) -> None:
        raise AssertionError(issued)

    def on_settings(self, idle_frame_seconds: float) -> None:
        self.idle_frame_seconds.append(idle_frame_seconds)


@dataclass
class Device:
    """Everything of an agent but its sensors and its runs. ``waiting`` is set when an attempt to connect has failed."""

    outbox: Outbox
    ledger: Ledger
    wishes: Wishes
    uplink: Uplink
    waiting: asyncio.Event
    facts: DeviceFacts = FACTS

    def sample(self, tag: int, *, run_id: str = "", channels: int = 2) -> None:
        """Hand over a frame whose start tells it from others."""
        described = tuple(
            Channel("edgeprof_cpu_core_busy_ratio", (("core", str(index)),), "/proc/stat", 0.001)
            for index in range(channels)
        )
        block = SampledBlock(channels=described, times_monotonic_ns=(tag,), columns=((5,),) * channels)
        self.outbox.hand_over(
            SampledFrame(run_id=run_id, start_monotonic_ns=tag, end_monotonic_ns=tag, blocks=(block,))
        )


@contextlib.asynccontextmanager
async def device(
    folder: Path, port: int, *, close: bool = True, silence_seconds: float = 120.0
) -> AsyncIterator[Device]:
    """A device that connects to a port; with ``close`` false it ends as if killed."""
    database = Database(folder)
    outbox, ledger, wishes = Outbox(Spool(database, ROOMY), Clocks(database, BOOT_ID)), Ledger(database), Wishes()

    def facts() -> DeviceFacts:
        return made.facts

    session = partial(
        Session, facts=facts, outbox=outbox, ledger=ledger, commands=wishes, silence_seconds=silence_seconds
    )
    waiting = asyncio.Event()

    def shortly(_low: float, _high: float) -> float:
        waiting.set()
        return 0.01

    uplink = Uplink(f"127.0.0.1:{port}", session, backoff=Backoff(shortly))
    made = Device(outbox, ledger, wishes, uplink, waiting)
    running = asyncio.ensure_future(uplink.run())
    try:
        yield made
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if outbox._timer:
            outbox._timer.cancel()
        if close:
            outbox.write_now()
        database.close()
