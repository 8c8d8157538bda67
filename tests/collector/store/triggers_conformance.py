"""What every store must do for remote triggers. Inherited beside the fixture ``store``."""

from dataclasses import replace

import pytest

from edgeprof.job import JobState
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import JobRecord, ScheduleRecord
from tests.collector.store.samples import DEVICE, PLAN, WALL_NS, job

SCHEDULE = ScheduleRecord(
    schedule_id="s1",
    targets=("all", "site=lab"),
    plan=PLAN,
    every="0 2 * * *",
    created_wall_ns=WALL_NS,
    next_wall_ns=WALL_NS + 1,
    model="synth:tiny@q8_0",
    queue_seconds=60.5,
    idempotency_key="nightly",
)


def ids(jobs: tuple[JobRecord, ...]) -> list[str]:
    return [one.job_id for one in jobs]


class TriggersConformance:
    """Inherited by the test class of each store."""

    def test_a_job_comes_back_as_it_was(self, store: Store) -> None:
        later = replace(job(), starts_wall_ns=WALL_NS + 7, schedule_id="s1")
        assert store.triggers.add_jobs([later]) == (later,)
        assert store.triggers.job("job-1") == later
        with pytest.raises(NotFoundError, match="job-2"):
            store.triggers.job("job-2")

    def test_a_request_is_kept_once_and_whole(self, store: Store) -> None:
        first = store.triggers.add_jobs([job("1", key="k"), job("2", device_id="another", key="k")])
        assert ids(first) == ["1", "2"]
        again = store.triggers.add_jobs([job("3", key="k"), job("4", device_id="a third", key="k")])
        assert again == first == store.triggers.jobs_with_key("k")
        assert ids(store.triggers.add_jobs([job("5")]) + store.triggers.add_jobs([job("6")])) == ["5", "6"]
        assert store.triggers.jobs_with_key("") == ()
        assert store.triggers.add_jobs([]) == ()

    def test_a_job_changes_only_over_the_version_it_was_made_from(self, store: Store) -> None:
        (kept,) = store.triggers.add_jobs([job()])
        sent = replace(kept, state=JobState.SENT, version=2, lease_expires_wall_ns=WALL_NS + 9)
        assert store.triggers.replace_job(sent)
        assert store.triggers.job("job-1") == sent
        assert not store.triggers.replace_job(replace(kept, state=JobState.CANCELLED, version=2))
        assert store.triggers.job("job-1") == sent

    def test_what_became_of_a_job_is_kept(self, store: Store) -> None:
        (kept,) = store.triggers.add_jobs([job()])
        sent = replace(kept, state=JobState.SENT, version=2, updated_wall_ns=WALL_NS + 2)
        leased = replace(sent, version=3, lease_expires_wall_ns=WALL_NS + 9, updated_wall_ns=WALL_NS + 3)
        failed = replace(leased, version=4, state=JobState.FAILED, reason="why", updated_wall_ns=WALL_NS + 4)
        assert all(store.triggers.replace_job(change) for change in (sent, leased, failed))
        assert [
            (one.version, one.state, one.reason, one.changed_wall_ns) for one in store.triggers.job_changes("job-1")
        ] == [
            (1, JobState.QUEUED, "", WALL_NS),
            (2, JobState.SENT, "", WALL_NS + 2),
            (4, JobState.FAILED, "why", WALL_NS + 4),
        ]
        with pytest.raises(NotFoundError, match="job-2"):
            store.triggers.job_changes("job-2")

    def test_open_jobs_come_the_oldest_first(self, store: Store) -> None:
        store.triggers.add_jobs([job("late", created_wall_ns=WALL_NS + 1)])
        store.triggers.add_jobs([job("early"), job("elsewhere", device_id="another")])
        (done,) = store.triggers.add_jobs([job("done")])
        store.triggers.replace_job(replace(done, state=JobState.SUCCEEDED, version=2))
        assert ids(store.triggers.open_jobs(DEVICE)) == ["early", "late"]
        assert set(ids(store.triggers.open_jobs())) == {"early", "late", "elsewhere"}
        assert ids(store.triggers.jobs(100))[0] == "late"
        assert len(store.triggers.jobs(100)) == 4
        assert ids(store.triggers.jobs(1)) == ["late"]

    def test_ends_come_once_each_in_their_order(self, store: Store) -> None:
        store.triggers.add_jobs([job("1"), job("2"), job("3")])
        for name in ("2", "1"):
            done = replace(store.triggers.job(name), state=JobState.SUCCEEDED, version=2)
            assert store.triggers.replace_job(done)
        assert store.triggers.replace_job(replace(store.triggers.job("2"), run_id="late", version=3))
        ends = store.triggers.jobs_ended_after(0, 100)
        assert [(end.job.job_id, end.job.run_id) for end in ends] == [("2", "late"), ("1", "")]
        assert [end.job.job_id for end in store.triggers.jobs_ended_after(ends[0].position, 100)] == ["1"]
        assert len(store.triggers.jobs_ended_after(0, 1)) == 1

    def test_a_webhook_begins_with_what_ends_from_now_on(self, store: Store) -> None:
        store.triggers.add_jobs([job("1"), job("2")])
        store.triggers.replace_job(replace(store.triggers.job("1"), state=JobState.FAILED, version=2))
        begin = store.triggers.webhook_position("hook")
        assert store.triggers.jobs_ended_after(begin, 100) == ()
        store.triggers.replace_job(replace(store.triggers.job("2"), state=JobState.FAILED, version=2))
        assert store.triggers.webhook_position("hook") == begin
        (end,) = store.triggers.jobs_ended_after(begin, 100)
        store.triggers.move_webhook("hook", end.position)
        assert store.triggers.webhook_position("hook") == end.position

    def test_a_schedule_comes_back_as_it_was_and_once(self, store: Store) -> None:
        assert store.triggers.add_schedule(SCHEDULE) == SCHEDULE
        assert store.triggers.add_schedule(replace(SCHEDULE, schedule_id="s2")) == SCHEDULE
        assert store.triggers.schedules() == (SCHEDULE,) == (store.triggers.schedule("s1"),)
        with pytest.raises(NotFoundError, match="s2"):
            store.triggers.schedule("s2")

    def test_a_cancelled_schedule_stays_so(self, store: Store) -> None:
        store.triggers.add_schedule(SCHEDULE)
        moved = replace(SCHEDULE, next_wall_ns=WALL_NS + 99, fault="no device")
        store.triggers.replace_schedule(moved)
        assert store.triggers.schedules() == (moved,)
        store.triggers.replace_schedule(replace(moved, is_cancelled=True))
        store.triggers.replace_schedule(moved)  # by one that was under way
        assert store.triggers.schedules() == ()
        assert store.triggers.schedule("s1").is_cancelled
