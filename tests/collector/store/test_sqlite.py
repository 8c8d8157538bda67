"""The SQLite store: what every store must do, and what can go wrong with a file."""

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgeprof_collector.store import database
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.retention import Retention, Retired, data_bytes
from edgeprof_collector.store.schema import APPLICATION_ID, MIGRATIONS
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.conformance import StoreConformance
from tests.collector.store.outgoing_conformance import OutgoingConformance
from tests.collector.store.retention_conformance import RetentionConformance
from tests.collector.store.samples import (
    WALL_NS,
    delivery,
    event_message,
    finished,
    frame_message,
    greeting,
    layout,
    started,
)
from tests.collector.store.triggers_conformance import TriggersConformance


class TestSqliteStore(StoreConformance, OutgoingConformance, RetentionConformance, TriggersConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = SqliteStore(tmp_path / "new folder" / "edgeprof.sqlite")
        yield store
        store.close()


def test_what_was_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "edgeprof.sqlite"
    store = SqliteStore(path)
    store.admit([greeting()])
    store.commit([delivery(event_message(1, started()), frame_message(2, run_id="run-1"), layouts=[layout()])])
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["edgeprof.sqlite"]
    store = SqliteStore(path)
    assert store.admit([greeting(newest=2)])[0].stored_sequence == 2
    assert len(store.telemetry("run-1").frames) == 1
    store.close()


def test_a_commit_outlives_a_kill(tmp_path: Path) -> None:
    """The child dies right after its commit returned, without closing anything."""
    path = tmp_path / "edgeprof.sqlite"
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from edgeprof_collector.store.sqlite import SqliteStore\n"
        "from tests.collector.store.samples import delivery, event_message, greeting, started\n"
        "store = SqliteStore(Path(sys.argv[1]))\n"
        "store.admit([greeting()])\n"
        "store.commit([delivery(event_message(1, started()))])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[3]
    child = subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, check=False)
    assert child.returncode == -9
    store = SqliteStore(path)
    assert [run.run_id for run in store.runs()] == ["run-1"]
    store.close()


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as refused:
        SqliteStore(path).close()
    text = str(refused.value)
    assert "\n" not in text
    assert str(path) in text or str(path.parent) in text
    return text


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    content = b"shopping list " * 100
    path.write_bytes(content)
    assert "no SQLite database" in refusal(path)
    assert path.read_bytes() == content


def test_another_programs_database(tmp_path: Path) -> None:
    path = tmp_path / "photos.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert "another program" in refusal(path)
    assert path.read_bytes() == before


def test_a_newer_edgeprofs_file(tmp_path: Path) -> None:
    path = tmp_path / "edgeprof.sqlite"
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    assert "newer edgeprof" in refusal(path)


def test_the_file_names_its_program_and_version(tmp_path: Path) -> None:
    path = tmp_path / "edgeprof.sqlite"
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made" in refusal(tmp_path / "file" / "folder" / "edgeprof.sqlite")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    assert "cannot be opened" in refusal(folder / "edgeprof.sqlite")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal(tmp_path)


def test_a_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    path = tmp_path / "edgeprof.sqlite"
    store = SqliteStore(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="another program holds the file locked"):
        store.admit([greeting()])
    assert store.devices() == ()
    holder.execute("ROLLBACK")
    holder.close()
    store.admit([greeting()])
    assert len(store.devices()) == 1
    store.close()


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "edgeprof.sqlite")
    store.admit([greeting()])
    writer = store._database._writer
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages + 4}")  # SQLite's own way of having no more room
    columns = (tuple(range(100)), tuple(range(0, 10_000, 100)))
    fitting = 0

    def fill() -> None:
        nonlocal fitting
        for sequence in range(1, 1000):
            store.commit([delivery(frame_message(sequence, values=columns), layouts=[layout()])])
            fitting = sequence

    with pytest.raises(StoreError, match="the disk is full"):
        fill()
    assert store.admit([greeting(newest=fitting)])[0].stored_sequence == fitting
    writer.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert store.commit([delivery(frame_message(fitting + 1), layouts=[layout()])]) == (fitting + 1,)
    store.close()


def test_space_returns_to_the_disk_when_a_store_grows_beyond_its_size(tmp_path: Path) -> None:
    path = tmp_path / "edgeprof.sqlite"
    store = SqliteStore(path)
    store.admit([greeting()])
    noise = random.Random(1)
    columns = tuple(tuple(noise.randrange(2**30) for _ in range(1000)) for _ in range(2))
    store.commit([delivery(event_message(1, started()), frame_message(2, run_id="run-1"), layouts=[layout()])])
    store.commit([delivery(event_message(3, finished()))])
    for sequence in range(4, 200):
        store.commit([delivery(frame_message(sequence, values=columns))])
    with store._database.reading() as connection:
        before_bytes = data_bytes(connection)
    retention = Retention(idle_days=0, max_bytes=before_bytes // 2)
    while store.retire(retention, 2 * WALL_NS) != Retired():
        pass
    with store._database.reading() as connection:
        assert data_bytes(connection) <= before_bytes // 2
    assert len(store.runs()) == 1, "idle telemetry goes first"
    while store.retire(Retention(idle_days=0, max_bytes=1), 2 * WALL_NS) != Retired():
        pass
    assert store.runs() == ()
    store.close()
    assert path.stat().st_size < before_bytes // 2


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """Two stores on one file stand for two processes: SQLite's locks are between connections."""
    path = tmp_path / "edgeprof.sqlite"
    one, other = SqliteStore(path), SqliteStore(path)
    one.admit([greeting()])
    assert one.commit([delivery(frame_message(1), layouts=[layout()])]) == (1,)
    assert other.commit([delivery(frame_message(1), frame_message(2))]) == (2,)
    assert one.admit([greeting(newest=2)])[0].stored_sequence == 2
    one.close()
    other.close()


def test_two_processes_that_race_store_each_message_once(tmp_path: Path) -> None:
    path = tmp_path / "edgeprof.sqlite"
    stores = SqliteStore(path), SqliteStore(path)
    stores[0].admit([greeting()])
    stores[0].commit([delivery(event_message(1, started()), layouts=[layout()])])

    def write(store: Store) -> None:
        for sequence in range(2, 60):
            store.commit([delivery(frame_message(sequence, run_id="run-1"))])

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, stores))
    assert len(stores[0].telemetry("run-1").frames) == 58
    for store in stores:
        store.close()
