"""The stored jobs, changed by compare-and-set, every change told to the watchers."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from edgeprof_collector.jobs.hub import JobHub
from edgeprof_collector.jobs.states import status_of
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import JobRecord


class JobLedger:
    """What the store knows of jobs, for one event loop: the store itself is called in threads."""

    def __init__(self, store: Store, hub: JobHub, now_wall_ns: Callable[[], int] = time.time_ns) -> None:
        self.now_wall_ns = now_wall_ns
        self._store = store
        self._hub = hub

    async def add(self, job: JobRecord) -> JobRecord:
        """Keep a new job, or return the one that has its idempotency key."""
        return await asyncio.to_thread(self._store.add_job, job)

    async def job(self, job_id: str) -> JobRecord:
        """Return one job.

        Raises:
            NotFoundError: no job has this identity.
        """
        return await asyncio.to_thread(self._store.job, job_id)

    async def jobs(self) -> tuple[JobRecord, ...]:
        """Return every job, the latest first."""
        return await asyncio.to_thread(self._store.jobs)

    async def open_jobs(self, device_id: str | None = None) -> tuple[JobRecord, ...]:
        """Return the jobs that are not final, of one device or of all, the oldest first."""
        return await asyncio.to_thread(self._store.open_jobs, device_id)

    async def change(self, job_id: str, step: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Write what ``step`` makes of a job; ``step`` returns the very job when there is nothing to change.

        Raises:
            NotFoundError: no job has this identity.
        """
        while True:
            job = await self.job(job_id)
            changed = step(job)
            if changed is job:
                return job
            changed = replace(changed, version=job.version + 1, updated_wall_ns=self.now_wall_ns())
            if await asyncio.to_thread(self._store.replace_job, changed):
                self._hub.publish_status(status_of(changed))
                return changed
