"""Schedules: at each of their times they ask the queue for jobs, once, whatever restarts in between."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from edgeprof.errors import EdgeprofError
from edgeprof_collector.jobs.bell import Bell
from edgeprof_collector.jobs.cron import last_time_wall_ns, next_time_wall_ns
from edgeprof_collector.jobs.messages import JobRequest, ScheduleRequest
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.target import find_devices
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import ScheduleRecord

_log = logging.getLogger(__name__)

_STORE_PATIENCE_SECONDS = 60.0
# The wall clock may be set while the scheduler waits, so it looks again before long.
_LONGEST_WAIT_SECONDS = 60.0


class Scheduler:
    """Schedules from their making to their cancellation, for one event loop. :meth:`run` goes on beside the rest."""

    def __init__(self, store: Store, jobs: JobQueue, now_wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._jobs = jobs
        self._now_wall_ns = now_wall_ns
        self._bell = Bell()

    async def add(self, request: ScheduleRequest) -> ScheduleRecord:
        """Keep a schedule.

        Raises:
            NotFoundError: a target names no device now.
            EdgeprofError: the times are not as they should be.
        """
        job = request.job
        if job.at is not None:
            raise EdgeprofError("a schedule has its times in 'every': leave 'at' out of its job")
        find_devices(await asyncio.to_thread(self._store.devices), job.targets)
        now = self._now_wall_ns()
        schedule = ScheduleRecord(
            schedule_id=uuid.uuid4().hex,
            targets=job.targets,
            plan=job.plan,
            model=job.model,
            engine=job.engine,
            python=job.python,
            queue_seconds=job.queue_seconds,
            every=request.every,
            timezone=request.timezone,
            idempotency_key=job.idempotency_key,
            created_wall_ns=now,
            next_wall_ns=next_time_wall_ns(request.every, request.timezone, now),
        )
        kept = await asyncio.to_thread(self._store.triggers.add_schedule, schedule)
        self._bell.ring()
        return kept

    async def schedules(self) -> tuple[ScheduleRecord, ...]:
        """Return every schedule that was not given up, the oldest first."""
        return await asyncio.to_thread(self._store.triggers.schedules)

    async def cancel(self, schedule_id: str) -> ScheduleRecord:
        """Give a schedule up. Jobs that it has made stay.

        Raises:
            NotFoundError: no schedule has this identity.
        """
        schedule = await asyncio.to_thread(self._store.triggers.schedule, schedule_id)
        cancelled = replace(schedule, is_cancelled=True)
        await asyncio.to_thread(self._store.triggers.replace_schedule, cancelled)
        return cancelled

    async def run(self) -> None:
        """Ask for jobs whenever a schedule's time comes, until cancelled."""
        while True:
            try:
                patience_seconds = await self._carry_out_due()
            except StoreError as error:
                _log.error("%s; schedules are looked after later", error)
                patience_seconds = _STORE_PATIENCE_SECONDS
            await self._bell.wait(patience_seconds)

    async def _carry_out_due(self) -> float | None:
        """Carry out what is due; return how long nothing else will be, ``None`` when there is no schedule."""
        now = self._now_wall_ns()
        schedules = [
            await self._carry_out(schedule, now) if schedule.next_wall_ns <= now else schedule
            for schedule in await self.schedules()
        ]
        waits = [(schedule.next_wall_ns - now) / 1e9 for schedule in schedules]
        return min(*waits, _LONGEST_WAIT_SECONDS) if waits else None

    async def _carry_out(self, schedule: ScheduleRecord, now: int) -> ScheduleRecord:
        """Ask for the jobs of a time that has come, then note the next.

        The jobs' idempotency key is the schedule's time: when the collector ends between the two, they are asked for
        again and are the same. Of several times that have gone by only the latest counts, if it is not too late.
        """
        following = next_time_wall_ns(schedule.every, schedule.timezone, now)
        due = max(schedule.next_wall_ns, last_time_wall_ns(schedule.every, schedule.timezone, following))
        fault = ""
        if now >= due + round(schedule.queue_seconds * 1e9):
            fault = "the collector was not running then"
        else:
            try:
                await self._jobs.submit(_request(schedule, due), schedule_id=schedule.schedule_id, due_wall_ns=due)
            except StoreError:
                raise
            except EdgeprofError as error:
                fault = str(error)
        if fault:
            _log.warning("schedule %s: no job, since %s", schedule.schedule_id, fault)
        done = replace(schedule, next_wall_ns=following, fault=fault)
        await asyncio.to_thread(self._store.triggers.replace_schedule, done)
        return done


def _request(schedule: ScheduleRecord, due_wall_ns: int) -> JobRequest:
    return JobRequest(
        targets=schedule.targets,
        plan=schedule.plan,
        model=schedule.model,
        engine=schedule.engine,
        python=schedule.python,
        queue_seconds=schedule.queue_seconds,
        idempotency_key=f"{schedule.schedule_id}@{due_wall_ns}",
    )
