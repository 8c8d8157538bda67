"""Ends that take their time: what waits for them stays bounded, and everything arrives."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.store.protocol import Delivery
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.intake.device import LAYOUT, RunningIntake, running_intake
from tests.collector.store.samples import event_message, frame_message, started
from tests.faults.agent import agent
from tests.faults.traffic import check_store

PENDING_BYTES = 8192
PATIENCE_SECONDS = 60.0


class HeldStore(SqliteStore):
    """A store on a disk whose flushes take until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.let_go = threading.Event()

    def commit(self, deliveries: Sequence[Delivery]) -> tuple[int, ...]:
        self.let_go.wait(PATIENCE_SECONDS)
        return super().commit(deliveries)


async def pending_bytes_reach(running: RunningIntake, least: int) -> None:
    """Wait until so many bytes wait for the store."""
    while running.intake._parties.writer.pending_bytes < least:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.01)


def test_a_collector_whose_disk_takes_its_time(tmp_path: Path) -> None:
    """It takes no more from the agent than it may hold; the rest waits in the agent's spool."""
    limits = IntakeLimits(pending_bytes_per_device=PENDING_BYTES, pending_bytes=4 * PENDING_BYTES)
    store = HeldStore(tmp_path / "edgeprof.sqlite")

    async def scenario() -> None:
        async with running_intake(tmp_path, limits, store=store) as running, agent(tmp_path / "a", running.port) as one:
            one.begin_run()
            await one.sample(range(1, 1001))
            await asyncio.wait_for(pending_bytes_reach(running, PENDING_BYTES), PATIENCE_SECONDS)
            await one.sample(range(1001, 1201))
            assert running.intake._parties.writer.pending_bytes < 2 * PENDING_BYTES
            assert one.spool.status().messages >= 1200, "nothing is acknowledged before it is stored"
            store.let_go.set()
            await one.all_acknowledged()

    asyncio.run(scenario())
    check_store(tmp_path / "edgeprof.sqlite", range(1, 1201))


def test_a_device_that_does_not_read_what_it_is_sent(tmp_path: Path) -> None:
    """Its messages are stored all the same, and of all acknowledgements that wait for it there is one."""
    newest = 3000

    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            await device.send(LAYOUT, event_message(1, started()))
            for sequence in range(2, newest + 1):
                await device.send(frame_message(sequence, run_id="run-1"))
            await device.done()
            await asyncio.wait_for(running.heard.disconnected.wait(), PATIENCE_SECONDS)
            assert len(running.store.telemetry("run-1").frames) == newest - 1
            await device.acknowledged(newest)

    asyncio.run(scenario())
