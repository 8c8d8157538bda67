"""Baselines: set and removed through both clients, chosen by the work, and held against new runs."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.run import RunState
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.client import Client, HttpClient, LocalClient
from edgeprof_collector.client.baselines import choose_baseline
from edgeprof_collector.client.judging import judge_run
from edgeprof_collector.exposition.results import Results
from edgeprof_collector.results_feed import ResultsFeed
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import DeviceRecord, RunSummary
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.analysis.sample_run import QUICK, Scenario, with_repetitions
from tests.collector.store.samples import facts
from tests.collector.stored_samples import store_sample
from tests.collector.web.live_collector import LiveCollector, live_collector, store_run

EIGHT = with_repetitions(QUICK, 8)
OWN = RunSummary(
    run_id="new",
    device_id="jetson-07",
    job_id="",
    plan="quick",
    model="/models/llama.gguf",
    quantisation="Q4_0",
    engine="llama-cpp-python",
    engine_version="0.3.36",
    state=RunState.SUCCEEDED,
    cause="",
    started_wall_ns=10,
    duration_seconds=30.0,
)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path) as running:
        store_run(running.store, "run-1")
        yield running


@pytest.mark.parametrize(
    "opener",
    [lambda each: LocalClient(SqliteStore(each.store_path)), lambda each: HttpClient(each.url)],
    ids=["local", "http"],
)
def test_set_and_removed(collector: LiveCollector, opener: Callable[[LiveCollector], Client]) -> None:
    with opener(collector) as client:
        assert client.set_baseline("latest", is_baseline=True).is_baseline
        assert [run.is_baseline for run in client.runs()] == [True]
        assert not client.set_baseline("run-1", is_baseline=False).is_baseline
        assert [run.is_baseline for run in client.runs()] == [False]
        with pytest.raises(NotFoundError):
            client.set_baseline("other", is_baseline=True)


def _baseline(
    run_id: str, started_wall_ns: int, device_id: str = "jetson-07", plan: str = OWN.plan, model: str = OWN.model
) -> RunSummary:
    return replace(
        OWN,
        run_id=run_id,
        started_wall_ns=started_wall_ns,
        device_id=device_id,
        plan=plan,
        model=model,
        is_baseline=True,
    )


@pytest.mark.parametrize(
    ("runs", "chosen"),
    [
        ([_baseline("b2", 2), _baseline("b1", 1)], "b2"),
        ([_baseline("b2", 2, "twin"), _baseline("b1", 1)], "b1"),
        ([_baseline("b2", 2, "twin")], "b2"),
        ([_baseline("b2", 2, "other")], None),
        ([_baseline("b2", 2, model="/elsewhere/llama.gguf")], "b2"),
        ([_baseline("b2", 2, model="/models/qwen.gguf")], None),
        ([_baseline("b2", 2, plan="soak")], None),
        ([_baseline("later", 20)], None),
        ([replace(_baseline("b2", 2), is_baseline=False)], None),
        ([replace(OWN, is_baseline=True)], None),
    ],
)
def test_the_latest_of_the_same_work_and_device_is_chosen(runs: list[RunSummary], chosen: str | None) -> None:
    devices = [
        DeviceRecord(facts=facts(name), first_seen_wall_ns=0, last_seen_wall_ns=0) for name in ("jetson-07", "twin")
    ]
    other = replace(facts("other"), memory_total_bytes=1 << 30)
    devices.append(DeviceRecord(facts=other, first_seen_wall_ns=0, last_seen_wall_ns=0))

    found = choose_baseline(OWN, facts("jetson-07"), [OWN, *runs], devices)

    assert (found.run_id if found else None) == chosen


@pytest.mark.parametrize(("decode_rate", "is_worse"), [(24.0, False), (30.0, False), (22.0, True)])
def test_a_run_is_held_against_its_baseline(store: SqliteStore, decode_rate: float, *, is_worse: bool) -> None:
    then = store_sample(store, "baseline", 1, Scenario(plan=EIGHT))
    store_sample(store, "new", then, Scenario(plan=EIGHT, decode_rate=decode_rate))
    client = LocalClient(store)
    client.set_baseline("baseline", is_baseline=True)

    findings = judge_run(client, client.run("new")).verdict.findings

    found = [finding for finding in findings if finding.name is FindingName.WORSE_THAN_BASELINE]
    assert bool(found) is is_worse
    for finding in found:
        assert "decode rate -8.3%" in finding.evidence
        assert finding.advice.endswith("edgeprof compare baseline new")


def test_other_steps_under_the_same_name_are_not_held_against_it(store: SqliteStore) -> None:
    other = replace(EIGHT, steps=EIGHT.steps[:2])
    then = store_sample(store, "baseline", 1, Scenario(plan=EIGHT))
    store_sample(store, "new", then, Scenario(plan=other, decode_rate=12.0))
    client = LocalClient(store)
    client.set_baseline("baseline", is_baseline=True)

    findings = judge_run(client, client.run("new")).verdict.findings

    assert FindingName.WORSE_THAN_BASELINE not in {finding.name for finding in findings}


def test_the_collector_warns_by_itself(store: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    then = store_sample(store, "baseline", 1, Scenario(plan=EIGHT))
    store.set_baseline("baseline", is_baseline=True)
    published: asyncio.Queue[str] = asyncio.Queue()

    class Told(Results):
        def publish(self, run: RunSummary, verdict: Verdict) -> None:
            published.put_nowait(run.run_id)

    async def scenario() -> None:
        feed = ResultsFeed(store, Told())
        task = asyncio.create_task(feed.run())
        assert await published.get() == "baseline"
        store_sample(store, "new", then, Scenario(plan=EIGHT, decode_rate=20.0))
        feed.run_finished("new")
        while await published.get() != "new":
            pass
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())

    assert "run new: Worse than the baseline baseline" in caplog.text
