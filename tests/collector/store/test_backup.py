"""Copies of a store and the way back, with a collector on it and without."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.cli import app
from edgeprof_collector.store.backup import back_up, restore
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.schema import MIGRATIONS
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.intake.device import Device
from tests.collector.service import CollectorProcess
from tests.collector.store.samples import delivery, event_message, frame_message, greeting, layout, started


def make_store(path: Path, frames: int = 3) -> SqliteStore:
    store = SqliteStore(path)
    store.admit([greeting()])
    store.commit([delivery(event_message(1, started()), layouts=[layout()])])
    store.commit([delivery(*(frame_message(2 + number, run_id="run-1") for number in range(frames)))])
    return store


def frame_count(path: Path) -> int:
    store = SqliteStore(path)
    try:
        return len(store.telemetry("run-1").frames)
    finally:
        store.close()


def refusal(call: Callable[[Path, Path], object], one: Path, other: Path) -> str:
    with pytest.raises(StoreError) as refused:
        call(one, other)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_store_is_copied_while_it_is_written(tmp_path: Path) -> None:
    path, copy = tmp_path / "edgeprof.sqlite", tmp_path / "copies" / "monday.sqlite"
    store = make_store(path)
    stop = threading.Event()

    def write() -> None:
        sequence = 5
        while not stop.is_set():
            store.commit([delivery(frame_message(sequence, run_id="run-1"))])
            sequence += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        back_up(path, copy)
    finally:
        stop.set()
        writing.join()
    total = len(store.telemetry("run-1").frames)
    store.close()
    assert 3 <= frame_count(copy) <= total
    assert [file.name for file in copy.parent.iterdir()] == ["monday.sqlite"]


def test_a_copy_takes_the_stores_place_and_what_was_there_is_kept(tmp_path: Path) -> None:
    path, copy = tmp_path / "edgeprof.sqlite", tmp_path / "copy.sqlite"
    store = make_store(path)
    back_up(path, copy)
    store.commit([delivery(frame_message(5, run_id="run-1"))])
    store.close()
    kept = restore(copy, path)
    assert kept is not None
    assert (frame_count(path), frame_count(kept), frame_count(copy)) == (3, 4, 3)
    assert restore(copy, tmp_path / "new folder" / "edgeprof.sqlite") is None
    assert frame_count(tmp_path / "new folder" / "edgeprof.sqlite") == 3


def test_a_damaged_store_gives_way_with_its_log(tmp_path: Path) -> None:
    path, copy = tmp_path / "edgeprof.sqlite", tmp_path / "copy.sqlite"
    make_store(path).close()
    back_up(path, copy)
    path.write_bytes(b"damaged" * 1000)
    path.with_name("edgeprof.sqlite-wal").write_bytes(b"a log of something else")
    kept = restore(copy, path)
    assert kept is not None
    assert kept.read_bytes().startswith(b"damaged")
    assert frame_count(path) == 3


def test_a_store_in_use_is_left_alone(tmp_path: Path) -> None:
    path, copy = tmp_path / "edgeprof.sqlite", tmp_path / "copy.sqlite"
    make_store(path).close()
    back_up(path, copy)
    with CollectorProcess(tmp_path) as collector:
        assert "is in use: stop the collector" in refusal(restore, copy, path)
        assert collector.end() == (0, "")
    assert frame_count(path) == 3
    assert sorted(file.name for file in tmp_path.iterdir() if "sqlite" in file.name) == [
        "copy.sqlite",
        "edgeprof.sqlite",
    ]


def test_devices_go_on_after_a_copy_was_restored(tmp_path: Path) -> None:
    """What a device no longer has, and the restored store never had, is recorded as lost."""
    path, copy = tmp_path / "edgeprof.sqlite", tmp_path / "copy.sqlite"
    store = make_store(path)
    back_up(path, copy)
    store.commit([delivery(frame_message(5, run_id="run-1"))])
    store.close()
    restore(copy, path)

    async def scenario(port: int) -> None:
        device = Device(port)
        await device.connect(oldest=6, newest=6)
        await device.send(AgentMessage(layout=layout()), frame_message(6, run_id="run-1"))
        await device.acknowledged(6)
        await device.close()

    with CollectorProcess(tmp_path) as collector:
        asyncio.run(scenario(collector.grpc_port))
        collector.end()
    store = SqliteStore(path)
    ((gap,), frames) = store.gaps("jetson-07"), store.telemetry("run-1").frames
    store.close()
    assert (gap.first_sequence, gap.last_sequence, len(frames)) == (5, 5, 4)


def test_what_cannot_be_copied_or_restored(tmp_path: Path) -> None:
    path, copy, text = tmp_path / "edgeprof.sqlite", tmp_path / "copy.sqlite", tmp_path / "notes.txt"
    text.write_text("shopping list " * 100)
    assert "does not exist" in refusal(back_up, path, copy)
    make_store(path).close()
    back_up(path, copy)
    assert "exists: name another file" in refusal(back_up, path, copy)
    assert "no SQLite database" in refusal(restore, text, path)
    assert "does not exist" in refusal(restore, tmp_path / "nothing", path)
    with sqlite3.connect(copy) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    assert "newer edgeprof" in refusal(restore, copy, path)
    assert frame_count(path) == 3
    assert not list(tmp_path.glob("*.part"))


def test_a_damaged_copy_is_not_restored(tmp_path: Path) -> None:
    path, copy = tmp_path / "edgeprof.sqlite", tmp_path / "copy.sqlite"
    make_store(path, frames=400).close()
    back_up(path, copy)
    content = bytearray(copy.read_bytes())
    content[8192 : len(content) // 2] = bytes(len(content) // 2 - 8192)
    copy.write_bytes(content)
    assert "damaged" in refusal(restore, copy, path)
    assert frame_count(path) == 400


def test_the_commands(tmp_path: Path) -> None:
    path, copy = tmp_path / "edgeprof.sqlite", tmp_path / "copy.sqlite"
    make_store(path).close()
    runner = CliRunner()
    assert runner.invoke(app, ["backup", str(copy), "--store", str(path)]).stdout == f"{copy}\n"
    restored = runner.invoke(app, ["restore", str(copy), "--store", str(path)])
    assert restored.stdout == f"{path}\n"
    assert "edgeprof.sqlite.before-" in restored.stderr
