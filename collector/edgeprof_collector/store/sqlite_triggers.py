"""Remote triggers in the SQLite store."""

from collections.abc import Sequence

from edgeprof_collector.store import jobs, schedules
from edgeprof_collector.store.database import Database
from edgeprof_collector.store.records import JobChange, JobEnd, JobRecord, ScheduleRecord


class SqliteTriggers:
    """A :class:`~edgeprof_collector.store.triggers.Triggers` in an open file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_jobs(self, new: Sequence[JobRecord]) -> tuple[JobRecord, ...]:
        """See :meth:`Triggers.add_jobs`."""
        with self._database.writing() as connection:
            return jobs.add(connection, new)

    def replace_job(self, job: JobRecord) -> bool:
        """See :meth:`Triggers.replace_job`."""
        with self._database.writing() as connection:
            return jobs.replace(connection, job)

    def job(self, job_id: str) -> JobRecord:
        """See :meth:`Triggers.job`."""
        with self._database.reading() as connection:
            return jobs.one(connection, job_id)

    def jobs(self, limit: int) -> tuple[JobRecord, ...]:
        """See :meth:`Triggers.jobs`."""
        with self._database.reading() as connection:
            return jobs.latest(connection, limit)

    def jobs_with_key(self, idempotency_key: str) -> tuple[JobRecord, ...]:
        """See :meth:`Triggers.jobs_with_key`."""
        with self._database.reading() as connection:
            return jobs.with_key(connection, idempotency_key)

    def open_jobs(self, device_id: str | None = None) -> tuple[JobRecord, ...]:
        """See :meth:`Triggers.open_jobs`."""
        with self._database.reading() as connection:
            return jobs.open_jobs(connection, device_id)

    def job_changes(self, job_id: str) -> tuple[JobChange, ...]:
        """See :meth:`Triggers.job_changes`."""
        with self._database.reading() as connection:
            return jobs.changes(connection, job_id)

    def jobs_ended_after(self, position: int, limit: int) -> tuple[JobEnd, ...]:
        """See :meth:`Triggers.jobs_ended_after`."""
        with self._database.reading() as connection:
            return jobs.ended_after(connection, position, limit)

    def webhook_position(self, name: str) -> int:
        """See :meth:`Triggers.webhook_position`."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO webhooks SELECT ?, coalesce(max(position), 0) FROM job_ends", (name,)
            )
            (position,) = connection.execute("SELECT position FROM webhooks WHERE name = ?", (name,)).fetchone()
            return int(position)

    def move_webhook(self, name: str, position: int) -> None:
        """See :meth:`Triggers.move_webhook`."""
        with self._database.writing() as connection:
            connection.execute("UPDATE webhooks SET position = ? WHERE name = ?", (position, name))

    def add_schedule(self, schedule: ScheduleRecord) -> ScheduleRecord:
        """See :meth:`Triggers.add_schedule`."""
        with self._database.writing() as connection:
            return schedules.add(connection, schedule)

    def replace_schedule(self, schedule: ScheduleRecord) -> None:
        """See :meth:`Triggers.replace_schedule`."""
        with self._database.writing() as connection:
            schedules.replace(connection, schedule)

    def schedule(self, schedule_id: str) -> ScheduleRecord:
        """See :meth:`Triggers.schedule`."""
        with self._database.reading() as connection:
            return schedules.one(connection, schedule_id)

    def schedules(self) -> tuple[ScheduleRecord, ...]:
        """See :meth:`Triggers.schedules`."""
        with self._database.reading() as connection:
            return schedules.every(connection)
