"""A run as Parquet, read back by pyarrow."""

import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from edgeprof.errors import EdgeprofError
from edgeprof_collector.cli import app
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import (
    SECOND_NS,
    WALL_NS,
    delivery,
    event_message,
    finished,
    frame_message,
    greeting,
    layout,
    request,
    started,
)


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    store = SqliteStore(tmp_path / "edgeprof" / "edgeprof.sqlite")
    store.admit([greeting()])
    begun = request()
    decoded = replace(begun, token_gaps_ns=(25_000_000,) * 8, end_monotonic_ns=begun.start_monotonic_ns + 200_000_000)
    messages = [event_message(1, started()), frame_message(2, run_id="run-1", start_ns=12 * SECOND_NS)]
    store.commit([delivery(*messages, event_message(3, decoded), event_message(4, finished()), layouts=[layout()])])
    store.close()
    result = CliRunner().invoke(app, ["export", "--format", "parquet", "--output", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    return [Path(line) for line in result.stdout.splitlines()]


def test_samples_have_wall_and_monotonic_times(exported: list[Path]) -> None:
    rows = pq.read_table(exported[1]).to_pylist()
    busy = [row for row in rows if row["metric"] == "edgeprof_cpu_busy_ratio"]
    assert [(row["monotonic_ns"], row["value"]) for row in busy] == [(12 * SECOND_NS, 0.5), (12_100_000_000, 0.51)]
    assert [row["time"].timestamp() for row in busy] == [WALL_NS / 1e9 + 2, WALL_NS / 1e9 + 2.1]
    assert len(rows) == 4


def test_every_token_has_its_time(exported: list[Path]) -> None:
    rows = pq.read_table(exported[2]).to_pylist()
    assert [row["monotonic_ns"] for row in rows] == [12 * SECOND_NS + 25_000_000 * number for number in range(1, 9)]
    assert {(row["step"], row["repetition"], row["tokens"]) for row in rows} == {(0, 0, 1)}


def test_results_have_the_names_of_the_page(exported: list[Path]) -> None:
    rows = {row["metric"]: row for row in pq.read_table(exported[3]).to_pylist()}
    rate = rows["edgeprof_result_decode_tokens_per_second"]
    assert rate["value"] == pytest.approx(40.0)
    assert dict(rate["labels"])["step"] == "decode 8"


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, exported: list[Path]) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = CliRunner().invoke(app, ["export", "--format", "parquet"])
    assert isinstance(result.exception, EdgeprofError)
    assert "edgeprof[parquet]" in str(result.exception)
