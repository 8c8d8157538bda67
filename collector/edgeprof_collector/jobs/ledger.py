"""The stored jobs, changed by compare-and-set, every change told to the watchers."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from edgeprof_collector.jobs.hub import JobHub
from edgeprof_collector.jobs.states import status_of
from edgeprof_collector.store.records import JobChange, JobRecord
from edgeprof_collector.store.triggers import Triggers


class JobLedger:
    """What the store knows of jobs, for one event loop: the store itself is called in threads."""

    def __init__(
        self,
        store: Triggers,
        hub: JobHub,
        now_wall_ns: Callable[[], int] = time.time_ns,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self.now_wall_ns = now_wall_ns
        self._store = store
        self._hub = hub
        self._ended = ended

    async def add(self, jobs: Sequence[JobRecord]) -> tuple[JobRecord, ...]:
        """Keep the new jobs of one request, or return those of the first time if its idempotency key is known."""
        return await asyncio.to_thread(self._store.add_jobs, jobs)

    async def with_key(self, idempotency_key: str) -> tuple[JobRecord, ...]:
        """Return the jobs of the request that had this key; none for an empty one."""
        return await asyncio.to_thread(self._store.jobs_with_key, idempotency_key)

    async def job(self, job_id: str) -> JobRecord:
        """Return one job.

        Raises:
            NotFoundError: no job has this identity.
        """
        return await asyncio.to_thread(self._store.job, job_id)

    async def jobs(self, limit: int) -> tuple[JobRecord, ...]:
        """Return the jobs that were asked for last, the latest first."""
        return await asyncio.to_thread(self._store.jobs, limit)

    async def changes(self, job_id: str) -> tuple[JobChange, ...]:
        """Return everything that became of a job, in order.

        Raises:
            NotFoundError: no job has this identity.
        """
        return await asyncio.to_thread(self._store.job_changes, job_id)

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
                if changed.state.final:
                    self._ended()
                return changed
