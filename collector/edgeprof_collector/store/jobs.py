"""Jobs, in and out of the tables."""

import sqlite3
from dataclasses import asdict

from edgeprof.job import JobCommand, JobState
from edgeprof.messages import from_message, to_message
from edgeprof.v1 import uplink_pb2
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import JobRecord


def add(connection: sqlite3.Connection, job: JobRecord) -> JobRecord:
    """Keep a new job. If its device has one with the same idempotency key, return that one instead."""
    if job.idempotency_key:
        row = connection.execute(
            "SELECT * FROM jobs WHERE device_id = ? AND idempotency_key = ?", (job.device_id, job.idempotency_key)
        ).fetchone()
        if row:
            return _job(row)
    command = JobCommand(
        job_id=job.job_id, version=job.version, plan=job.plan, model=job.model, engine=job.engine, python=job.python
    )
    connection.execute(
        "INSERT INTO jobs VALUES (:job_id, :device_id, :command, :idempotency_key, :state, :version, :reason, :run_id, "
        ":cancel_requested, :created_wall_ns, :updated_wall_ns, :expires_wall_ns, :lease_expires_wall_ns)",
        _columns(job) | {"command": to_message(command).SerializeToString()},
    )
    return job


def replace(connection: sqlite3.Connection, job: JobRecord) -> bool:
    """Write a changed job over the version before it; ``False`` if that is no longer the stored one."""
    cursor = connection.execute(
        "UPDATE jobs SET state = :state, version = :version, reason = :reason, run_id = :run_id, "
        "cancel_requested = :cancel_requested, updated_wall_ns = :updated_wall_ns, "
        "lease_expires_wall_ns = :lease_expires_wall_ns WHERE job_id = :job_id AND version = :version - 1",
        _columns(job),
    )
    return cursor.rowcount == 1


def one(connection: sqlite3.Connection, job_id: str) -> JobRecord:
    """One job.

    Raises:
        NotFoundError: no job has this identity.
    """
    row = connection.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no job is called '{job_id}'")
    return _job(row)


def every(connection: sqlite3.Connection) -> tuple[JobRecord, ...]:
    """Every job, the latest first."""
    return tuple(
        _job(row) for row in connection.execute("SELECT * FROM jobs ORDER BY created_wall_ns DESC, rowid DESC")
    )


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


def _job(row: sqlite3.Row) -> JobRecord:
    columns = dict(row)
    command = from_message(JobCommand, uplink_pb2.JobCommand.FromString(columns.pop("command")))
    columns["state"] = JobState(columns["state"])
    columns["cancel_requested"] = bool(columns["cancel_requested"])
    return JobRecord(plan=command.plan, model=command.model, engine=command.engine, python=command.python, **columns)
