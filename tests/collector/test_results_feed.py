"""Stored runs find their way to the exposed results."""

import asyncio

from edgeprof.run import RunEvent, RunState
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.exposition.results import Results
from edgeprof_collector.results_feed import ResultsFeed
from edgeprof_collector.store.records import RunSummary
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import (
    WALL_NS,
    delivery,
    event_message,
    finished,
    request,
    started,
)


class Told(Results):
    """Results that keep the names of what they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.announced: asyncio.Queue[str] = asyncio.Queue()
        self.published: asyncio.Queue[str] = asyncio.Queue()

    def announce(self, run: RunSummary) -> None:
        super().announce(run)
        self.announced.put_nowait(run.run_id)

    def publish(self, run: RunSummary, verdict: Verdict) -> None:
        super().publish(run, verdict)
        self.published.put_nowait(run.run_id)


def store_run(store: SqliteStore, number: int, state: RunState = RunState.SUCCEEDED) -> None:
    run_id = f"run-{number}"
    events: list[RunEvent] = [started(run_id), request(run_id), finished(run_id, state)]
    messages = [event_message(number * 3 + position, event) for position, event in enumerate(events, 1)]
    whole = delivery(*messages)
    arrivals = [arrival._replace(wall_ns=WALL_NS + number) for arrival in whole.arrivals]
    assert store.commit([whole._replace(arrivals=arrivals)]) == (number * 3 + 3,)


def test_the_newest_run_of_each_work_is_judged(store: SqliteStore) -> None:
    async def scenario() -> None:
        results = Told()
        feed = ResultsFeed(store, results)
        store_run(store, 0)
        store_run(store, 1)
        store_run(store, 2, RunState.FAILED)
        following = asyncio.create_task(feed.run())
        assert [await results.announced.get() for _ in range(3)] == ["run-2", "run-1", "run-0"]
        store_run(store, 3)
        feed.run_finished("run-3")
        assert await results.published.get() == "run-1"
        assert await results.published.get() == "run-3"
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert results.published.empty()
        (series,) = next(iter(results.families())).values
        assert 'run="run-3"' in series

    asyncio.run(scenario())
