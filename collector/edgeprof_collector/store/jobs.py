"""Jobs, in and out of the tables."""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from edgeprof.job import JobCommand, JobState
from edgeprof.messages import from_message, to_message
from edgeprof.v1 import uplink_pb2
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import JobChange, JobEnd, JobRecord


def add(connection: sqlite3.Connection, jobs: Sequence[JobRecord]) -> tuple[JobRecord, ...]:
    """Keep the new jobs of one request. If it was made before, by its idempotency key, return those jobs instead."""
    known = with_key(connection, jobs[0].idempotency_key) if jobs else ()
    if known:
        return known
    for job in jobs:
        command = JobCommand(
            job_id=job.job_id, version=job.version, plan=job.plan, model=job.model, engine=job.engine, python=job.python
        )
        connection.execute(
            "INSERT INTO jobs VALUES (:job_id, :device_id, :command, :idempotency_key, :state, :version, :reason, "
            ":run_id, :cancel_requested, :created_wall_ns, :updated_wall_ns, :expires_wall_ns, :lease_expires_wall_ns, "
            ":starts_wall_ns, :schedule_id)",
            _columns(job) | {"command": to_message(command).SerializeToString()},
        )
        _note_change(connection, job)
    return tuple(jobs)


def with_key(connection: sqlite3.Connection, idempotency_key: str) -> tuple[JobRecord, ...]:
    """The jobs of the request that had this key; none for an empty one."""
    rows = connection.execute(
        "SELECT * FROM jobs WHERE idempotency_key = ? AND idempotency_key <> '' ORDER BY rowid", (idempotency_key,)
    )
    return tuple(_job(row) for row in rows)


def replace(connection: sqlite3.Connection, job: JobRecord) -> bool:
    """Write a changed job over the version before it; ``False`` if that is no longer the stored one."""
    cursor = connection.execute(
        "UPDATE jobs SET state = :state, version = :version, reason = :reason, run_id = :run_id, "
        "cancel_requested = :cancel_requested, updated_wall_ns = :updated_wall_ns, "
        "lease_expires_wall_ns = :lease_expires_wall_ns WHERE job_id = :job_id AND version = :version - 1",
        _columns(job),
    )
    if cursor.rowcount != 1:
        return False
    _note_change(connection, job)
    if job.state.final:
        connection.execute("INSERT OR IGNORE INTO job_ends (job_id) VALUES (?)", (job.job_id,))
    return True


def one(connection: sqlite3.Connection, job_id: str) -> JobRecord:
    """One job.

    Raises:
        NotFoundError: no job has this identity.
    """
    row = connection.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no job is called '{job_id}'")
    return _job(row)


def latest(connection: sqlite3.Connection, limit: int) -> tuple[JobRecord, ...]:
    """The jobs that were asked for last, the latest first."""
    rows = connection.execute("SELECT * FROM jobs ORDER BY created_wall_ns DESC, rowid DESC LIMIT ?", (limit,))
    return tuple(_job(row) for row in rows)


def changes(connection: sqlite3.Connection, job_id: str) -> tuple[JobChange, ...]:
    """Everything that became of a job, in order; a version that changed neither state nor reason is left out.

    Raises:
        NotFoundError: no job has this identity.
    """
    one(connection, job_id)
    rows = connection.execute(
        "SELECT version, state, reason, changed_wall_ns FROM job_changes WHERE job_id = ? ORDER BY version", (job_id,)
    )
    told: list[JobChange] = []
    for row in rows:
        change = JobChange(**{**dict(row), "state": JobState(row["state"])})
        if not told or (change.state, change.reason) != (told[-1].state, told[-1].reason):
            told.append(change)
    return tuple(told)


def ended_after(connection: sqlite3.Connection, position: int, limit: int) -> tuple[JobEnd, ...]:
    """The jobs that ended next after this position, in the order in which that was stored."""
    rows = connection.execute(
        "SELECT position, jobs.* FROM job_ends JOIN jobs USING (job_id) WHERE position > ? ORDER BY position LIMIT ?",
        (position, limit),
    )
    ends = []
    for row in rows:
        columns = dict(row)
        ends.append(JobEnd(position=columns.pop("position"), job=_record(columns)))
    return tuple(ends)


def open_jobs(connection: sqlite3.Connection, device_id: str | None) -> tuple[JobRecord, ...]:
    """The jobs that are not final, of one device or of all, the oldest first."""
    rows = connection.execute(
        "SELECT * FROM jobs WHERE state IN ('queued', 'sent', 'running') AND device_id = ifnull(?, device_id) "
        "ORDER BY created_wall_ns, rowid",
        (device_id,),
    )
    return tuple(_job(row) for row in rows)


def _columns(job: JobRecord) -> dict[str, object]:
    return asdict(job) | {"state": job.state.value, "plan": None}


def _note_change(connection: sqlite3.Connection, job: JobRecord) -> None:
    connection.execute(
        "INSERT INTO job_changes VALUES (?, ?, ?, ?, ?)",
        (job.job_id, job.version, job.state.value, job.reason, job.updated_wall_ns),
    )


def _job(row: sqlite3.Row) -> JobRecord:
    return _record(dict(row))


def _record(columns: dict[str, Any]) -> JobRecord:
    command = from_message(JobCommand, uplink_pb2.JobCommand.FromString(columns.pop("command")))
    columns["state"] = JobState(columns["state"])
    columns["cancel_requested"] = bool(columns["cancel_requested"])
    return JobRecord(plan=command.plan, model=command.model, engine=command.engine, python=command.python, **columns)
