"""The spool when its process is killed, its file damaged, its disk full."""

import logging
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof.v1.telemetry_pb2 import GapCause
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool
from tests.agent.uplink.spooling import (
    ROOMY,
    append_frames,
    event,
    everything,
    fill,
    opened,
    overwrite_middle,
    sequences,
    tags,
)

WRITER = """
import sys
from pathlib import Path
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.spool import Spool
from tests.agent.uplink.spooling import frame

spool = Spool(Database(Path(sys.argv[1])), Bounds(max_bytes=10**8, max_age_seconds=1e9))
while True:
    for _ in range(7):
        tag = spool.append(frame(spool.newest_sequence + 1, padding=900), Priority.RUN_TELEMETRY)
    assert spool.flush()
    sys.stdout.buffer.write(b"%d\\n" % tag)
    sys.stdout.buffer.flush()
"""


def kill_a_writer(folder: Path, after_lines: int) -> int:
    """Run a process that spools and says what is committed, kill -9 it, and return the last that it said."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(after_lines)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    complete = [line for line in lines if line.endswith(b"\n")]
    return int(complete[-1])


@pytest.mark.prove(short=4, whole=25)
def test_what_was_committed_survives_kill_9_and_sequences_go_on(tmp_path: Path, proof_seed: int) -> None:
    chance = random.Random(proof_seed)
    committed = 0
    for _ in range(2):
        said = kill_a_writer(tmp_path, after_lines=chance.randrange(1, 60))
        assert said > committed
        committed = said
        with opened(tmp_path) as spool:
            messages = everything(spool)
            assert len(messages) >= committed
            assert sequences(messages) == tags(messages) == list(range(1, len(messages) + 1))
            assert spool.newest_sequence == len(messages)


@pytest.mark.parametrize("content", [b"no database at all, only text" * 400, bytes(8192)])
def test_a_file_that_is_no_database_is_set_aside(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(10))
        epoch = spool.epoch
    (tmp_path / "spool.db").write_bytes(content)

    with caplog.at_level(logging.WARNING), opened(tmp_path) as spool:
        append_frames(spool, [50])
        messages = everything(spool)
        assert spool.epoch != epoch

    assert messages[0].gap.cause == GapCause.GAP_CAUSE_SPOOL_CORRUPT
    assert tags(messages) == [50]
    assert sequences(messages) == [1, 2]
    (aside,) = tmp_path.glob("spool.db.damaged-*")
    assert aside.read_bytes() == content
    assert caplog.text.count("is damaged") == 1


def test_damage_behind_a_sound_first_page_is_found_when_the_spool_opens(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(100), padding=1000)
    overwrite_middle(tmp_path / "spool.db")

    with opened(tmp_path) as spool:
        append_frames(spool, [50])
        messages = everything(spool)
    assert messages[0].gap.cause == GapCause.GAP_CAUSE_SPOOL_CORRUPT
    assert tags(messages) == [50]


def test_damage_while_the_agent_runs_costs_exactly_what_was_in_the_file(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(2000), padding=2000)
    with opened(tmp_path) as spool:
        assert spool.welcome(300, new_epoch_required=False)
        epoch = spool.epoch
        number = spool.layout_number(())
        append_frames(spool, [5000])
        overwrite_middle(tmp_path / "spool.db")
        messages = spool.read_after(300, 5000)
        assert spool.epoch == epoch
        assert spool.layout(number).layout == number

    assert tags(messages) == [5000]
    (gap,) = [message.gap for message in messages if message.HasField("gap")]
    assert (gap.first_sequence, gap.last_sequence) == (301, 2000)
    assert gap.cause == GapCause.GAP_CAUSE_SPOOL_CORRUPT
    with opened(tmp_path) as spool:
        assert everything(spool) == messages
        assert spool.layout(number).layout == number


def test_only_the_last_damaged_file_is_kept(tmp_path: Path) -> None:
    for content in (b"first" * 1000, b"second" * 1000):
        (tmp_path / "spool.db").write_bytes(content)
        with opened(tmp_path) as spool:
            assert spool.newest_sequence == 1
    (aside,) = tmp_path.glob("spool.db.damaged-*")
    assert aside.read_bytes().startswith(b"second")


def test_a_full_disk_is_remembered_and_loses_nothing_that_fits_in_memory(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(5))
        assert spool.flush()
        spool._database._connection.execute("PRAGMA max_page_count = 1")
        append_frames(spool, range(5, 105), padding=5000)
        assert not spool.flush()
        assert spool.failure == "database or disk is full"
        assert tags(everything(spool)) == list(range(105))

        spool._database._connection.execute("PRAGMA max_page_count = 1000000")
        assert spool.flush()
        assert spool.failure is None

    with opened(tmp_path) as spool:
        assert tags(everything(spool)) == list(range(105))


def test_a_full_disk_does_not_fill_the_memory(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(event(7), Priority.RUN_EVENT)
        spool._database._connection.execute("PRAGMA max_page_count = 1")
        append_frames(spool, range(10, 1010), padding=5000)
        assert spool._pending_bytes < 1_100_000
        assert len(spool._pending) < 250
        spool._database._connection.execute("PRAGMA max_page_count = 1000000")
        assert spool.flush()
        messages = everything(spool)

    kept = tags(messages)
    assert kept[0] == 7
    assert kept[1:] == list(range(1011 - len(kept), 1010))
    assert sequences(messages) == list(range(1, 1002))
    assert {message.gap.cause for message in messages if message.HasField("gap")} == {GapCause.GAP_CAUSE_DISK_FULL}


@pytest.mark.root
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system")
def test_a_file_system_without_space(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
    try:
        database = Database(disk)
        spool = Spool(database, ROOMY)
        fill(disk)
        append_frames(spool, range(100), padding=5000)
        assert spool.failure == "database or disk is full"
        spool.acknowledge(20)
        (disk / "filler").unlink()
        assert spool.flush()
        assert tags(everything(spool)) == list(range(20, 100))
        database.close()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
