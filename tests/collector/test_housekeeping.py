"""The collector gives up what is too old while it runs."""

import asyncio
import time
from pathlib import Path

from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.housekeeping import Housekeeping
from edgeprof_collector.store.retention import Retention
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import SECOND_NS, delivery, frame_message, greeting, layout


def test_what_is_too_old_goes_and_is_counted(tmp_path: Path) -> None:
    store, health = SqliteStore(tmp_path / "edgeprof.sqlite"), CollectorHealth()
    store.admit([greeting()])
    whole = delivery(*(frame_message(number) for number in range(1, 601)), layouts=[layout()])
    now_ns = time.time_ns()
    arrivals = [
        arrival._replace(wall_ns=now_ns - (600 - arrival.sequence) * 3600 * SECOND_NS) for arrival in whole.arrivals
    ]
    store.commit([whole._replace(arrivals=arrivals)])

    asyncio.run(Housekeeping(store, Retention(idle_days=1), health).tidy())

    assert len(store.outgoing.frames_after(0, 10**9)) == 24
    assert "edgeprof_collector_retired_frames_total 576.0\n" in health.text()
    store.close()
