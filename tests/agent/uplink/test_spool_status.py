"""How the spool says that it stands, and what it leaves of its disk to others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof.v1.telemetry_pb2 import GapCause
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool
from edgeprof_agent.uplink.status import Drops, SpoolSensor
from tests.agent.uplink.spooling import (
    ROOMY,
    append_frames,
    event,
    everything,
    opened,
    overwrite_middle,
    sequences,
    tags,
)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_what_waits_is_counted_and_its_age_told(tmp_path: Path) -> None:
    clock = Clock()
    database = Database(tmp_path)
    spool = Spool(database, ROOMY, clock)
    assert (spool.status().messages, spool.status().oldest_age_seconds) == (0, 0)
    assert spool.status().max_bytes == ROOMY.max_bytes
    append_frames(spool, range(3), padding=1000)
    clock.seconds = 5.0
    append_frames(spool, range(3, 5), padding=1000)
    clock.seconds = 7.0
    assert (spool.status().messages, spool.status().oldest_age_seconds) == (5, 7)
    assert 5000 < spool.status().size_bytes < 6000
    spool.flush()
    assert spool.status().size_bytes > 20_000, "the file's pages"
    spool.acknowledge(3)
    spool.flush()
    assert (spool.status().messages, spool.status().oldest_age_seconds) == (2, 2)
    spool.acknowledge(5)
    assert (spool.status().messages, spool.status().oldest_age_seconds) == (0, 0)
    database.close()


def test_every_cause_of_a_loss_is_counted_apart(tmp_path: Path) -> None:
    clock = Clock()
    database = Database(tmp_path)
    spool = Spool(database, Bounds(max_bytes=3_000_000, max_age_seconds=100), clock)
    append_frames(spool, range(10))
    spool.flush()
    clock.seconds = 200.0
    spool.flush(force=True)
    assert spool.status().drops == Drops(spool_age=10)
    append_frames(spool, range(1000), padding=5000)
    spool.flush()
    dropped = spool.status().drops.spool_full
    assert len(tags(everything(spool))) == 1000 - dropped
    overwrite_middle(tmp_path / "spool.db")
    spool.read_after(0, 100)
    status = spool.status()
    assert (status.drops.spool_corrupt, status.set_aside_files) == (1010, 1)
    readings = {(one.channel.metric, *one.channel.labels): one.value for one in SpoolSensor(spool.status).sample()}
    assert readings["edgeprof_spool_dropped_messages_total", ("cause", "spool_full")] == dropped
    assert readings["edgeprof_spool_dropped_messages_total", ("cause", "spool_corrupt")] == 1010
    assert readings["edgeprof_spool_set_aside_files_total",] == 1
    database.close()


@pytest.mark.root
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system")
def test_room_on_the_disk_is_given_back_to_others(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=True)
    try:
        with opened(disk, Bounds(max_bytes=10**9, max_age_seconds=1e9, min_free_bytes=16 << 20)) as spool:
            spool.append(event(7), Priority.RUN_EVENT)
            append_frames(spool, range(10, 3010), padding=10_000)
            spool.flush()
            assert spool.status().drops == Drops()
            (disk / "others").write_bytes(bytes(26 << 20))
            append_frames(spool, [5000])
            spool.flush()
            free = os.statvfs(disk)
            assert free.f_bavail * free.f_frsize > 14 << 20
            messages = everything(spool)
            kept = tags(messages)
            assert (kept[0], kept[-1]) == (7, 5000), "idle telemetry goes first, the oldest of it"
            assert spool.status().drops == Drops(disk_full=3002 - len(kept))
            assert sequences(messages) == list(range(1, 3003))
            assert {one.gap.cause for one in messages if one.HasField("gap")} == {GapCause.GAP_CAUSE_DISK_FULL}
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_small_spool_is_kept_however_full_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path, Bounds(max_bytes=10**9, max_age_seconds=1e9, min_free_bytes=10**15)) as spool:
        append_frames(spool, range(300), padding=10_000)
        spool.flush()
        assert len(tags(everything(spool))) == 300
        append_frames(spool, range(300, 1000), padding=10_000)
        spool.flush()
        assert 300 < len(tags(everything(spool))) < 400
