"""The jobs that this device knows, and how they stand, across restarts."""

import logging

from edgeprof.job import JobStatus
from edgeprof.messages import from_message, to_message
from edgeprof.v1.uplink_pb2 import JobStatus as JobStatusMessage
from edgeprof_agent.uplink.database import DamagedError, Database, UnwritableError

_log = logging.getLogger(__name__)

# Finished and acknowledged jobs that are still known, so that one that is sent again is not run again.
_KEPT = 256
_DAY_SECONDS = 86_400


class NotRecordedError(Exception):
    """The start of a job cannot be written, so it must not begin: the text says why."""


class Ledger:
    """Keeps each job's status until the collector has acknowledged its end, and some time beyond.

    Memory holds the truth. A status that cannot be written now is written with the next one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statuses: dict[str, JobStatus] = {}
        self._acknowledged: set[str] = set()
        self._unsaved: set[str] = set()
        try:
            rows = database.rows("SELECT job_id, status, acknowledged FROM jobs ORDER BY rowid")
            starts = database.rows("SELECT wall_seconds FROM run_starts ORDER BY number")
        except DamagedError as error:
            database.replace(error)
            rows, starts = [], []
        self._starts_wall_seconds = [int(wall_seconds) for (wall_seconds,) in starts]
        for job_id, content, acknowledged in rows:
            self._statuses[job_id] = from_message(JobStatus, JobStatusMessage.FromString(content))
            if acknowledged:
                self._acknowledged.add(job_id)
        database.refills.append(lambda: self._unsaved.update(self._statuses))

    def status(self, job_id: str) -> JobStatus | None:
        """Return how a job stands; ``None`` if it is not known."""
        return self._statuses.get(job_id)

    def record(self, status: JobStatus) -> None:
        """Keep a new status, to be told until it is acknowledged."""
        self._statuses[status.job_id] = status
        self._acknowledged.discard(status.job_id)
        self._save(status.job_id)

    def begin(self, status: JobStatus, wall_seconds: float) -> None:
        """Keep that a job begins, so that not even a loss of power lets it begin again.

        Raises:
            NotRecordedError: the disk is full or fails.
        """
        before = self._statuses[status.job_id]
        self._statuses[status.job_id] = status
        self._acknowledged.discard(status.job_id)
        self._unsaved.add(status.job_id)
        self._starts_wall_seconds = [*self._recent_starts(wall_seconds), int(wall_seconds)]
        try:
            try:
                self._write(outlives_power=True)
            except DamagedError as error:
                self._database.replace(error)
                self._write(outlives_power=True)
        except UnwritableError as error:
            self._statuses[status.job_id] = before
            self._starts_wall_seconds.pop()
            raise NotRecordedError(f"the start of the job cannot be written: {error}") from error

    def starts_last_day(self, wall_seconds: float) -> int:
        """Return how many jobs began in the 24 hours up to now.

        Starts within the next 24 hours count too: the clock has gone back. One that went further frees the device.
        """
        return len(self._recent_starts(wall_seconds))

    def _recent_starts(self, wall_seconds: float) -> list[int]:
        return [start for start in self._starts_wall_seconds if abs(wall_seconds - start) < _DAY_SECONDS]

    def tell_again(self, job_id: str) -> None:
        """The collector does not seem to know how this job stands."""
        self._acknowledged.discard(job_id)

    def forget(self, job_id: str) -> None:
        """Know nothing of a job any more: the collector sends it again."""
        del self._statuses[job_id]
        self._acknowledged.discard(job_id)
        self._save(job_id)

    def acknowledge(self, status: JobStatus) -> None:
        """The collector has heard this status."""
        if self._statuses.get(status.job_id) == status:
            self._acknowledged.add(status.job_id)
            self._save(status.job_id)

    def untold(self) -> tuple[JobStatus, ...]:
        """Statuses that the collector has not acknowledged."""
        return tuple(status for job_id, status in self._statuses.items() if not self._is_told(job_id))

    def known(self) -> tuple[JobStatus, ...]:
        """Jobs that go on or wait, and finished ones that the collector has not acknowledged."""
        return tuple(
            status for job_id, status in self._statuses.items() if not (status.state.final and self._is_told(job_id))
        )

    def _is_told(self, job_id: str) -> bool:
        return job_id in self._acknowledged

    def _save(self, job_id: str) -> None:
        self._unsaved.add(job_id)
        try:
            try:
                self._write()
            except DamagedError as error:
                self._database.replace(error)
                self._write()
        except UnwritableError as error:
            _log.warning("the state of job %s cannot be written: %s; it is kept in memory", job_id, error)

    def _write(self, *, outlives_power: bool = False) -> None:
        told = [job_id for job_id, status in self._statuses.items() if status.state.final and self._is_told(job_id)]
        for job_id in told[:-_KEPT]:
            del self._statuses[job_id]
            self._acknowledged.remove(job_id)
            self._unsaved.add(job_id)
        with self._database.transaction(outlives_power=outlives_power) as connection:
            connection.executemany("DELETE FROM jobs WHERE job_id = ?", [(job_id,) for job_id in self._unsaved])
            connection.executemany("INSERT INTO jobs VALUES (?, ?, ?)", self._unsaved_rows())
            if outlives_power:
                connection.execute("DELETE FROM run_starts")
                starts = [(wall_seconds,) for wall_seconds in self._starts_wall_seconds]
                connection.executemany("INSERT INTO run_starts (wall_seconds) VALUES (?)", starts)
        self._unsaved.clear()

    def _unsaved_rows(self) -> list[tuple[str, bytes, bool]]:
        return [
            (job_id, to_message(status).SerializeToString(), self._is_told(job_id))
            for job_id, status in self._statuses.items()
            if job_id in self._unsaved
        ]
