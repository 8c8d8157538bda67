"""What the store keeps of remote triggers: jobs, what became of them, schedules, and how far webhooks are."""

from collections.abc import Sequence
from typing import Protocol

from edgeprof_collector.store.records import JobChange, JobEnd, JobRecord, ScheduleRecord


class Triggers(Protocol):
    """Jobs and schedules.

    Raises:
        StoreError: from every method, when the store cannot be read or written.
    """

    def add_jobs(self, jobs: Sequence[JobRecord]) -> tuple[JobRecord, ...]:
        """Keep the new jobs of one request, all or none; those of the first time if its idempotency key is known."""
        ...

    def replace_job(self, job: JobRecord) -> bool:
        """Write a changed job over the version before it; return ``False`` if that is no longer the stored one."""
        ...

    def job(self, job_id: str) -> JobRecord:
        """One job.

        Raises:
            NotFoundError: no job has this identity.
        """
        ...

    def jobs(self, limit: int) -> tuple[JobRecord, ...]:
        """The jobs that were asked for last, the latest first."""
        ...

    def jobs_with_key(self, idempotency_key: str) -> tuple[JobRecord, ...]:
        """The jobs of the request that had this key; none for an empty one."""
        ...

    def open_jobs(self, device_id: str | None = None) -> tuple[JobRecord, ...]:
        """The jobs that are not final, of one device or of all, the oldest first."""
        ...

    def job_changes(self, job_id: str) -> tuple[JobChange, ...]:
        """Everything that became of a job, in order.

        Raises:
            NotFoundError: no job has this identity.
        """
        ...

    def jobs_ended_after(self, position: int, limit: int) -> tuple[JobEnd, ...]:
        """The jobs that ended next after this position, in the order in which that was stored."""
        ...

    def webhook_position(self, name: str) -> int:
        """How far a webhook has told of ends. A new one begins with what ends from now on."""
        ...

    def move_webhook(self, name: str, position: int) -> None:
        """A webhook has told of everything up to here."""
        ...

    def add_schedule(self, schedule: ScheduleRecord) -> ScheduleRecord:
        """Keep a new schedule, or return the one that has its idempotency key."""
        ...

    def replace_schedule(self, schedule: ScheduleRecord) -> None:
        """Write when it comes next, why it gave no job, and whether it was given up; a cancelled one stays so."""
        ...

    def schedule(self, schedule_id: str) -> ScheduleRecord:
        """One schedule.

        Raises:
            NotFoundError: no schedule has this identity.
        """
        ...

    def schedules(self) -> tuple[ScheduleRecord, ...]:
        """Every schedule that was not given up, the oldest first."""
        ...
