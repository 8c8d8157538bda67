"""Whoever reads a run that was thinned is told so, and what its values stand for."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from edgeprof_collector.cli import app
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.dense_telemetry import GAUGE, SECONDS, fill, thin_all

STEP = 4096


@pytest.fixture(params=[False, True], ids=["whole", "thinned"])
def is_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> bool:
    """A run of two minutes in the own store, as it was sampled or thinned to one value a second."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    store = SqliteStore(tmp_path / "edgeprof" / "edgeprof.sqlite")
    fill(store)
    if request.param:
        thin_all(store)
    store.close()
    return bool(request.param)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_csv_has_what_each_value_stands_for(tmp_path: Path, *, is_thinned: bool) -> None:
    table = run("export", "--output", str(tmp_path / "out")).split()[1]
    with Path(table).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == GAUGE.metric]
    spans = {(row["lowest"], row["highest"]) for row in rows}
    if not is_thinned:
        assert len(rows) == SECONDS * 10
        assert spans == {("", "")}
        return
    assert len(rows) < SECONDS * 1.2
    assert (str(10.0 * STEP), str(19.0 * STEP)) in spans
    assert all(int(row["since_monotonic_ns"]) <= int(row["monotonic_ns"]) for row in rows)


def test_parquet_has_what_each_value_stands_for(tmp_path: Path, *, is_thinned: bool) -> None:
    table = run("export", "--format", "parquet", "--output", str(tmp_path / "out")).split()[1]
    rows = [row for row in pq.read_table(table).to_pylist() if row["metric"] == GAUGE.metric]
    spans = {(row["lowest"], row["highest"]) for row in rows}
    assert spans == {(None, None)} if not is_thinned else (10.0 * STEP, 19.0 * STEP) in spans


def test_verdict_and_report_say_so(tmp_path: Path, *, is_thinned: bool) -> None:
    note = "thinned to one value every 1 s"
    assert any(note in line for line in json.loads(run("show", "--json"))["notes"]) is is_thinned
    run("show", "--output", str(tmp_path / "out"))
    (page,) = (tmp_path / "out").glob("*.html")
    assert (note in page.read_text(encoding="utf-8")) is is_thinned
