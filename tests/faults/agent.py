"""An agent whose sensors are simulated: its spool, outbox, session and stream are the real ones.

    python -m tests.faults.agent FOLDER PORT FIRST COUNT DEVICE [HOST]

As a process it samples the tags FIRST to FIRST + COUNT - 1 as fast as it may, says "kept TAG" whenever everything up
to that tag is in its file, and "done" when the collector has acknowledged all of it.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from edgeprof.device import DeviceFacts
from edgeprof_agent.uplink.backoff import Backoff
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.clocks import ClockReading, Clocks, read_clocks
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.ledger import Ledger
from edgeprof_agent.uplink.outbox import Outbox
from edgeprof_agent.uplink.session import Session
from edgeprof_agent.uplink.spool import Spool
from edgeprof_agent.uplink.stream import Uplink
from tests.agent.uplink.small_device import FACTS, Wishes
from tests.collector.store.samples import BOOT, started
from tests.faults.traffic import frame

ROOMY = Bounds(max_bytes=64 * 1024 * 1024, max_age_seconds=1e9)
DEVICE = FACTS.device_id
_FRAMES_PER_WRITE = 5
# Not all of it at once: a device samples on while its stream breaks.
_PAUSE_SECONDS = 0.002


@dataclass
class Agent:
    """Everything of an agent but its sensors and its runs."""

    device_id: str
    outbox: Outbox
    uplink: Uplink

    @property
    def spool(self) -> Spool:
        """The agent's spool."""
        return self.outbox.spool

    def begin_run(self, run_id: str = "run-1") -> None:
        """Put the event without which a store hands out nothing of the run."""
        self.outbox.put_event(started(run_id, self.device_id))

    async def sample(self, tags: range, run_id: str = "run-1") -> None:
        """Hand over the frames of these tags, and let the agent work between them."""
        for tag in tags:
            self.outbox.hand_over(frame(tag, run_id))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def all_acknowledged(self) -> None:
        """Wait until nothing waits any more."""
        while not self.spool.empty:  # noqa: ASYNC110 - over streams that break, so there is no one event
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def agent(
    folder: Path,
    port: int,
    *,
    device_id: str = DEVICE,
    hostname: str = "bench",
    bounds: Bounds = ROOMY,
    boot_id: bytes = BOOT,
    read_clocks: Callable[[], ClockReading] = read_clocks,
    host: str = "127.0.0.1",
) -> AsyncIterator[Agent]:
    """An agent that connects to a port and tries again a hundred times a second."""
    database = Database(folder)
    outbox = Outbox(Spool(database, bounds), Clocks(database, boot_id, read_clocks))
    ledger = Ledger(database)
    facts: DeviceFacts = replace(FACTS, device_id=device_id, hostname=hostname)
    session = partial(Session, facts=lambda: facts, outbox=outbox, ledger=ledger, commands=Wishes())
    uplink = Uplink(f"{host}:{port}", session, backoff=Backoff(lambda _low, _high: 0.01))
    running = asyncio.ensure_future(uplink.run())
    try:
        yield Agent(device_id, outbox, uplink)
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        outbox.write_now()
        database.close()


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def _be_an_agent(folder: Path, port: int, first: int, count: int, device_id: str, host: str) -> None:
    async with agent(folder, port, device_id=device_id, host=host) as one:
        one.begin_run()
        for start in range(first, first + count, _FRAMES_PER_WRITE):
            tags = range(start, min(start + _FRAMES_PER_WRITE, first + count))
            await one.sample(tags)
            if one.spool.flush():
                _say(f"kept {tags[-1]}")
        await one.all_acknowledged()
        _say("done")


if __name__ == "__main__":
    _folder, _port, _first, _count, _device, *_host = sys.argv[1:]
    asyncio.run(
        _be_an_agent(Path(_folder), int(_port), int(_first), int(_count), _device, _host[0] if _host else "127.0.0.1")
    )
