"""What people write for one side of a comparison."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunState
from edgeprof_collector.client.exported import read_exported
from edgeprof_collector.client.run_sets import NamedRun, read_run_set
from edgeprof_collector.store.records import RunSummary
from tests.collector.analysis.sample_run import sample_record

LATEST = RunSummary(
    run_id="run-3",
    device_id="jetson-07",
    job_id="",
    plan="quick",
    model="llama.gguf",
    quantisation="Q4_0",
    engine="llama-cpp-python",
    engine_version="0.3.36",
    state=RunState.SUCCEEDED,
    cause="",
    started_wall_ns=3,
    duration_seconds=30.0,
)
RUNS = (
    LATEST,
    replace(LATEST, run_id="run-2", engine_version="0.3.35"),
    replace(LATEST, run_id="run-1"),
    replace(LATEST, run_id="run-0", state=RunState.FAILED),
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("latest", [NamedRun("latest")]),
        ("run-1:flash", [NamedRun("run-1", "flash")]),
        ("run-1:threads=2", [NamedRun("run-1", "threads=2")]),
        ("run-1, run-2", [NamedRun("run-1"), NamedRun("run-2")]),
        ("out/run-1.json:flash", [NamedRun("out/run-1.json", "flash")]),
        ("device=jetson-07,engine_version=0.3.36", [NamedRun("run-3"), NamedRun("run-1")]),
        ("plan=quick,last=1,variant=flash", [NamedRun("run-3", "flash")]),
    ],
)
def test_sides(text: str, wanted: list[NamedRun]) -> None:
    assert list(read_run_set(text, lambda: RUNS)) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" ", "side of the comparison is empty"),
        ("devise=x", "with one of device, model"),
        ("device=a,b", "selects nothing"),
        ("model=hf:a/b/c.gguf", "no run that succeeded has model=hf:a/b/c.gguf"),
        ("device=mars", "no run that succeeded has device=mars"),
        ("last=0", "a number of runs"),
    ],
)
def test_sides_that_are_not_understood(text: str, message: str) -> None:
    with pytest.raises(EdgeprofError, match=message):
        read_run_set(text, lambda: RUNS)


def test_a_run_by_name_needs_no_list() -> None:
    def unreachable() -> tuple[RunSummary, ...]:
        raise AssertionError

    assert read_run_set("run.json", unreachable)[0].file == Path("run.json")


def test_an_exported_run_is_read_back(tmp_path: Path) -> None:
    record = sample_record()
    path = tmp_path / "run.json"
    path.write_bytes(msgspec.json.encode(record))
    path.with_suffix(".csv").write_text(
        'monotonic_ns,metric,labels,value\n20,edgeprof_power_watts,"chip=a,rail=b",2.5\n10,edgeprof_power_watts,'
        '"chip=a,rail=b",1.5\n'
    )

    again, (series,) = read_exported(path)

    assert again == record
    assert series.channel.labels == (("chip", "a"), ("rail", "b"))
    assert (series.times_monotonic_ns.tolist(), series.values.tolist()) == ([10, 20], [1.5, 2.5])


def _write(path: Path, json: str, csv: str | None = None) -> Path:
    path.write_text(json)
    if csv is not None:
        path.with_suffix(".csv").write_text(csv)
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: folder / "none.json",
        lambda folder: _write(folder / "a.json", "{}"),
        lambda folder: _write(folder / "b.json", "not json"),
        lambda folder: _write(folder / "c.json", msgspec.json.encode(sample_record()).decode(), "a,b\n1,2\n"),
    ],
)
def test_files_that_were_not_exported(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)

    with pytest.raises(EdgeprofError, match=path.stem):
        read_exported(path)
