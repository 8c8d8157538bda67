"""Files of earlier versions, kept as the SQL that makes them, are brought to this one with everything in them."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.run import RunState
from edgeprof_collector.client import LocalClient
from edgeprof_collector.client.judging import judge_run
from edgeprof_collector.store.schema import MIGRATIONS
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import (
    DEVICE,
    WALL_NS,
    delivery,
    event_message,
    finished,
    frame_message,
    greeting,
    started,
)

STORES = Path(__file__).parents[2] / "fixtures" / "stores"
SCRIPTS = sorted(STORES.glob("schema-*.sql"))


def test_every_earlier_version_is_kept() -> None:
    assert [script.stem for script in SCRIPTS] == [f"schema-{number}" for number in range(1, len(MIGRATIONS))]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_file_of_an_earlier_version_is_brought_forward(tmp_path: Path, script: Path) -> None:
    path = tmp_path / "edgeprof.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()

    store = SqliteStore(path)
    assert store.run("run-1").started == started()
    assert store.run("run-1").finished == finished()
    assert len(store.telemetry("run-1").frames) == 1
    assert [run.state for run in store.runs()] == [RunState.SUCCEEDED]
    assert [(end.run.run_id, end.wall_ns) for end in store.outgoing.run_ends_after(0, 9)] == [
        ("run-1", WALL_NS + 10_000_000_000)
    ]
    assert [device.facts.device_id for device in store.devices()] == [DEVICE]
    store.admit([greeting(epoch=b"a new epoch")])
    assert store.commit([delivery(frame_message(1), epoch=b"a new epoch")]) == (1,)
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_run_of_an_earlier_version_is_judged_like_one_of_this(tmp_path: Path, script: Path) -> None:
    """And the same each time, from the file as from a store that got the same messages today."""
    path = tmp_path / "edgeprof.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()
    now = SqliteStore(tmp_path / "now.sqlite")
    now.admit([greeting()])
    now.commit([delivery(event_message(1, started()), event_message(2, finished()))])

    with LocalClient(SqliteStore(path)) as earlier, LocalClient(now) as today:
        verdicts = [judge_run(client, client.run("run-1")).verdict for client in (earlier, earlier, today)]

    without_telemetry = verdicts[2]
    assert verdicts[0] == verdicts[1]
    assert replace(verdicts[0], notes=(), memory=without_telemetry.memory) == replace(without_telemetry, notes=())
