"""Schedules over a real store and queue, by a clock that the test sets."""

import asyncio
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from edgeprof.job import JobState
from edgeprof.v1.uplink_pb2 import CollectorMessage
from edgeprof_collector.jobs.cron import last_time_wall_ns, next_time_wall_ns
from edgeprof_collector.jobs.messages import JobRequest, ScheduleRequest
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.scheduler import Scheduler
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import ScheduleRecord
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.jobs.tending import Clock, tending
from tests.collector.store.samples import DEVICE, PLAN, SECOND_NS

DAY_NS = 86400 * SECOND_NS
NIGHTLY = ScheduleRequest(every="0 2 * * *", job=JobRequest(targets=("all",), plan=PLAN, queue_seconds=6 * 3600))


def at_ns(*when: int) -> int:
    return round(datetime(*when, tzinfo=timezone.utc).timestamp()) * SECOND_NS  # type: ignore[misc,arg-type]


EVENING = at_ns(2026, 11, 21, 20, 0)
NIGHT = at_ns(2026, 11, 22, 2, 0)


def parts(store: SqliteStore, clock: Clock) -> tuple[JobQueue, Scheduler]:
    queue = JobQueue(store, clock)
    return queue, Scheduler(store, queue, clock)


async def until_next(store: SqliteStore, clock: Clock, next_wall_ns: int) -> ScheduleRecord:
    await clock.until(lambda: store.triggers.schedules()[0].next_wall_ns == next_wall_ns)
    return store.triggers.schedules()[0]


def test_a_schedule_asks_for_jobs_at_each_of_its_times(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock, sent = Clock(EVENING), list[CollectorMessage]()
        queue, scheduler = parts(store, clock)
        await queue.device_connected(DEVICE, [], sent.append)
        schedule = await scheduler.add(NIGHTLY)
        assert schedule.next_wall_ns == NIGHT
        async with tending(scheduler):
            clock.now_ns = NIGHT + SECOND_NS
            await scheduler.add(replace(NIGHTLY, every="0 0 1 1 *"))  # a reason to look at the clock
            await until_next(store, clock, NIGHT + DAY_NS)
        (job,) = await queue.jobs(10)
        assert (job.schedule_id, job.starts_wall_ns) == (schedule.schedule_id, NIGHT)
        assert job.expires_wall_ns == NIGHT + 6 * 3600 * SECOND_NS
        assert [message.job.job_id for message in sent] == [job.job_id]

    asyncio.run(scenario())


def test_a_time_is_kept_once_however_often_the_collector_ends_in_between(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock = Clock(EVENING)
        queue, scheduler = parts(store, clock)
        schedule = await scheduler.add(NIGHTLY)
        clock.now_ns = NIGHT + SECOND_NS
        for _ in range(3):
            queue, scheduler = parts(store, clock)
            async with tending(scheduler):
                await until_next(store, clock, NIGHT + DAY_NS)
            store.triggers.replace_schedule(schedule)  # as if it had ended before it noted the next time
        assert len(await queue.jobs(10)) == 1

    asyncio.run(scenario())


def test_of_the_times_that_a_collector_was_away_for_only_the_latest_counts(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock = Clock(EVENING)
        queue, scheduler = parts(store, clock)
        await scheduler.add(NIGHTLY)
        clock.now_ns = NIGHT + 5 * DAY_NS + 3600 * SECOND_NS
        async with tending(scheduler):
            await until_next(store, clock, NIGHT + 6 * DAY_NS)
        (job,) = await queue.jobs(10)
        assert job.starts_wall_ns == NIGHT + 5 * DAY_NS

    asyncio.run(scenario())


def test_a_time_that_is_too_long_ago_is_left_out_and_that_is_recorded(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock = Clock(EVENING)
        queue, scheduler = parts(store, clock)
        await scheduler.add(NIGHTLY)
        clock.now_ns = NIGHT + 7 * 3600 * SECOND_NS
        async with tending(scheduler):
            schedule = await until_next(store, clock, NIGHT + DAY_NS)
        assert schedule.fault == "the collector was not running then"
        assert await queue.jobs(10) == ()

    asyncio.run(scenario())


def test_a_device_that_is_off_has_one_job_waiting_and_not_one_for_each_night(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock = Clock(EVENING)
        queue, scheduler = parts(store, clock)
        await scheduler.add(replace(NIGHTLY, every="0 * * * *"))
        for hour in range(3):
            clock.now_ns = EVENING + (hour + 1) * 3600 * SECOND_NS + SECOND_NS
            queue, scheduler = parts(store, clock)
            async with tending(scheduler):
                await until_next(store, clock, EVENING + (hour + 2) * 3600 * SECOND_NS)
        assert [job.state for job in await queue.jobs(10)] == [JobState.QUEUED]

    asyncio.run(scenario())


def test_targets_that_mean_nobody_any_more_are_recorded(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock = Clock(EVENING)
        _, scheduler = parts(store, clock)
        with pytest.raises(NotFoundError, match="'site=moon'"):
            await scheduler.add(replace(NIGHTLY, job=replace(NIGHTLY.job, targets=("site=moon",))))
        schedule = await scheduler.add(NIGHTLY)
        with store._database.writing() as connection:
            connection.execute("UPDATE schedules SET targets = '[\"site=moon\"]'")
        clock.now_ns = NIGHT
        async with tending(scheduler):
            schedule = await until_next(store, clock, NIGHT + DAY_NS)
        assert schedule.fault == "no device has the label 'site=moon'; known: site=lab"

    asyncio.run(scenario())


def test_a_schedule_that_was_given_up_asks_for_nothing(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock = Clock(EVENING)
        queue, scheduler = parts(store, clock)
        schedule = await scheduler.add(NIGHTLY)
        other = await scheduler.add(replace(NIGHTLY, every="30 2 * * *"))
        assert (await scheduler.cancel(schedule.schedule_id)).is_cancelled
        clock.now_ns = NIGHT + 3600 * SECOND_NS
        async with tending(scheduler):
            await until_next(store, clock, other.next_wall_ns + DAY_NS)
        assert [job.schedule_id for job in await queue.jobs(10)] == [other.schedule_id]

    asyncio.run(scenario())


def test_times_are_those_of_the_time_zone_through_its_changes() -> None:
    before_summer = at_ns(2026, 3, 28, 12, 0)
    assert next_time_wall_ns("30 3 * * *", "Europe/Berlin", before_summer) == at_ns(2026, 3, 29, 1, 30)
    assert next_time_wall_ns("30 3 * * *", "UTC", before_summer) == at_ns(2026, 3, 29, 3, 30)
    twice = next_time_wall_ns("30 2 * * *", "Europe/Berlin", at_ns(2026, 10, 24, 12, 0))
    assert next_time_wall_ns("30 2 * * *", "Europe/Berlin", twice) == at_ns(2026, 10, 26, 1, 30)
    assert last_time_wall_ns("0 2 * * *", "UTC", NIGHT) == NIGHT - DAY_NS
