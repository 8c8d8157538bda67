"""Runs that another benchmark has measured, stored through both clients, all or none."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunRecord
from edgeprof_collector.client import Client, HttpClient, LocalClient
from edgeprof_collector.imports.llama_bench import runs_of
from edgeprof_collector.imports.llama_bench_file import read_llama_bench
from edgeprof_collector.store.retention import Retention
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.imports.rows import DECODE, PREFILL, write_lines
from tests.collector.store.samples import DEVICE
from tests.collector.web.live_collector import LiveCollector, live_collector, store_run

OTHER = {"model_filename": "/models/other.gguf"}


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path) as running:
        store_run(running.store, "run-1")
        yield running


_OPENERS: dict[str, Callable[[LiveCollector], Client]] = {
    "local": lambda collector: LocalClient(SqliteStore(collector.store_path)),
    "http": lambda collector: HttpClient(collector.url),
}


@pytest.fixture(params=list(_OPENERS.values()), ids=list(_OPENERS))
def client(request: pytest.FixtureRequest, collector: LiveCollector) -> Iterator[Client]:
    with request.param(collector) as opened:
        yield opened


def records(folder: Path, *results: object, device: str = "") -> tuple[RunRecord, ...]:
    return runs_of(read_llama_bench(write_lines(folder / "results.jsonl", *results)), device)


def test_runs_are_read_as_they_were_imported(client: Client, tmp_path: Path) -> None:
    imported = records(tmp_path, PREFILL, DECODE, {**PREFILL, **OTHER})
    client.import_runs(imported)

    for record in imported:
        assert client.run(record.started.run_id) == record
        assert not client.telemetry(record.started.run_id).frames
    summaries = {run.run_id: run for run in client.runs()}
    assert summaries[imported[0].started.run_id].started_wall_ns == imported[0].started.wall_ns
    assert {device.facts.device_id for device in client.devices()} == {DEVICE, "llama-bench on AMD EPYC"}


def test_importing_again_is_refused(client: Client, tmp_path: Path) -> None:
    imported = records(tmp_path, PREFILL)
    client.import_runs(imported)

    with pytest.raises(EdgeprofError, match=f"this is stored already: edgeprof show {imported[0].started.run_id}"):
        client.import_runs(imported)
    assert len(client.runs()) == 2


def test_a_run_that_was_given_up_is_imported_again(client: Client, collector: LiveCollector, tmp_path: Path) -> None:
    (imported,) = records(tmp_path, PREFILL)
    client.import_runs((imported,))
    while client.runs():
        collector.store.retire(Retention(run_days=1), imported.started.wall_ns + 7 * 86_400 * 10**9)

    client.import_runs((imported,))
    assert client.run(imported.started.run_id) == imported


def test_the_name_of_a_device_that_runs_an_agent_is_refused(client: Client, tmp_path: Path) -> None:
    before = client.devices()
    with pytest.raises(EdgeprofError, match=f"'{DEVICE}' is a device that runs an agent"):
        client.import_runs(records(tmp_path, PREFILL, device=DEVICE))
    assert client.devices() == before


def _without_end(record: RunRecord) -> RunRecord:
    return replace(record, finished=None)


def _of_another_run(record: RunRecord) -> RunRecord:
    return replace(record, requests=(replace(record.requests[0], run_id="run-1"),))


def _of_an_agent(record: RunRecord) -> RunRecord:
    device = replace(record.started.device, imported_from="")
    return replace(record, started=replace(record.started, device=device))


def _beyond_its_field(record: RunRecord) -> RunRecord:
    return replace(record, requests=(replace(record.requests[0], prompt_tokens=-1),))


def _named_badly(record: RunRecord) -> RunRecord:
    return replace(record, started=replace(record.started, run_id="a\nb"))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (_without_end, "has no end"),
        (_of_another_run, "has events of another run"),
        (_of_an_agent, "does not say where it was imported from"),
        (_beyond_its_field, "cannot be stored: "),
        (_named_badly, "a run is named by 1 to 128 printable characters"),
    ],
)
def test_one_bad_run_among_several_leaves_nothing(
    client: Client, tmp_path: Path, spoil: Callable[[RunRecord], RunRecord], text: str
) -> None:
    good, bad = records(tmp_path, PREFILL, {**PREFILL, **OTHER})
    with pytest.raises(EdgeprofError, match=text):
        client.import_runs((good, spoil(bad)))
    assert [run.run_id for run in client.runs()] == ["run-1"]
    assert [device.facts.device_id for device in client.devices()] == [DEVICE]


def test_the_collector_shows_what_was_imported_among_its_results(collector: LiveCollector, tmp_path: Path) -> None:
    imported = records(tmp_path, PREFILL, {**PREFILL, **OTHER})
    with HttpClient(collector.url) as client:
        client.import_runs(imported)
    assert collector.finished == [record.started.run_id for record in imported]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"[]", "text/plain", 415),
        (b"{}", "application/json", 400),
        (b'[{"started": 5}]', "application/json", 400),
    ],
)
def test_a_body_that_is_no_list_of_runs(collector: LiveCollector, content: bytes, kind: str, status: int) -> None:
    answer = httpx.post(
        f"{collector.url}/api/v1/runs", content=content, headers={"Content-Type": kind}, trust_env=False
    )
    assert answer.status_code == status
    assert "list of runs" in answer.json()["error"]
