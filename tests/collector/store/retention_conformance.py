"""What every store gives up, and what it keeps. Inherited beside the fixture ``store``."""

import pytest

from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.retention import Retention, Retired
from tests.collector.store.samples import (
    SECOND_NS,
    WALL_NS,
    delivery,
    event_message,
    finished,
    frame_message,
    greeting,
    layout,
    started,
)

DAY_NS = 86_400 * SECOND_NS
ALL = 100_000_000


def keep_days(store: Store, days: int) -> None:
    """On each day, from the first to the last: a run with two frames, and a frame after it."""
    store.admit([greeting()])
    for day in range(days):
        run_id, first = f"run-{day}", day * 5
        messages = [
            event_message(first + 1, started(run_id)),
            frame_message(first + 2, run_id=run_id),
            frame_message(first + 3, run_id=run_id),
            event_message(first + 4, finished(run_id)),
            frame_message(first + 5),
        ]
        whole = delivery(*messages, layouts=[layout()])
        wall_ns = WALL_NS + day * DAY_NS
        store.commit([whole._replace(arrivals=[arrival._replace(wall_ns=wall_ns) for arrival in whole.arrivals])])


def retire_all(store: Store, retention: Retention, days: float) -> Retired:
    """Give up everything that is due so many days after the first; return it."""
    frames = runs = 0
    while (retired := store.retire(retention, WALL_NS + round(days * DAY_NS))) != Retired():
        frames, runs = frames + retired.frames, runs + retired.runs
    return Retired(frames, runs)


def idle_frames(store: Store) -> int:
    return sum(not frame.frame.run_id for frame in store.outgoing.frames_after(0, ALL))


class RetentionConformance:
    """Inherited by the test class of each store."""

    def test_nothing_is_given_up_unless_told(self, store: Store) -> None:
        keep_days(store, 3)
        assert retire_all(store, Retention(idle_days=0), 10_000) == Retired()
        assert len(store.runs()) == 3

    def test_idle_telemetry_goes_when_it_is_old(self, store: Store) -> None:
        keep_days(store, 5)
        assert retire_all(store, Retention(idle_days=2), 4.5) == Retired(frames=3)
        assert idle_frames(store) == 2
        assert len(store.runs()) == 5

    def test_runs_go_whole_when_they_are_old(self, store: Store) -> None:
        keep_days(store, 5)
        assert retire_all(store, Retention(idle_days=0, run_days=2), 4.5) == Retired(frames=6, runs=3)
        assert [run.run_id for run in store.runs()] == ["run-4", "run-3"]
        with pytest.raises(NotFoundError):
            store.telemetry("run-0")
        assert len(store.telemetry("run-3").frames) == 2
        assert [end.run.run_id for end in store.outgoing.run_ends_after(0, 9)] == ["run-3", "run-4"]

    def test_a_baseline_stays_until_it_is_none(self, store: Store) -> None:
        keep_days(store, 3)
        store.set_baseline("run-1", is_baseline=True)
        assert [run.is_baseline for run in store.runs()] == [False, True, False]
        retire_all(store, Retention(run_days=1), 100)
        assert [run.run_id for run in store.runs()] == ["run-1"]
        store.set_baseline("run-1", is_baseline=False)
        assert retire_all(store, Retention(run_days=1), 100) == Retired(frames=2, runs=1)

    def test_a_baseline_must_exist(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match="run-9"):
            store.set_baseline("run-9", is_baseline=True)

    def test_a_run_that_goes_on_stays(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(event_message(1, started()), frame_message(2, run_id="run-1"), layouts=[layout()])])
        store.commit([delivery(frame_message(3))])
        retire_all(store, Retention(run_days=1), 100)
        assert len(store.telemetry("run-1").frames) == 1

    def test_the_newest_frame_stays_so_that_positions_only_grow(self, store: Store) -> None:
        keep_days(store, 2)
        newest = store.outgoing.frames_after(0, ALL)[-1].position
        retire_all(store, Retention(idle_days=1, run_days=1), 100)
        (kept,) = store.outgoing.frames_after(0, ALL)
        assert kept.position == newest
        store.commit([delivery(frame_message(11))])
        assert store.outgoing.frames_after(newest, ALL)[0].position > newest

    def test_a_device_goes_on_when_its_data_are_gone(self, store: Store) -> None:
        keep_days(store, 2)
        retire_all(store, Retention(idle_days=1, run_days=1), 100)
        assert store.admit([greeting(newest=10)])[0].stored_sequence == 10
        assert store.commit([delivery(frame_message(9), frame_message(10), frame_message(11))]) == (11,)
