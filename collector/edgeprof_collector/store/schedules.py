"""Schedules, in and out of their table."""

import sqlite3

import msgspec

from edgeprof.job import JobCommand
from edgeprof.messages import from_message, to_message
from edgeprof.v1 import uplink_pb2
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import ScheduleRecord


def add(connection: sqlite3.Connection, schedule: ScheduleRecord) -> ScheduleRecord:
    """Keep a new schedule, or return the one that has its idempotency key."""
    row = connection.execute(
        "SELECT * FROM schedules WHERE idempotency_key = ? AND idempotency_key <> ''", (schedule.idempotency_key,)
    ).fetchone()
    if row:
        return _schedule(row)
    command = JobCommand(
        job_id=schedule.schedule_id,
        version=0,
        plan=schedule.plan,
        model=schedule.model,
        engine=schedule.engine,
        python=schedule.python,
    )
    connection.execute(
        "INSERT INTO schedules VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            schedule.schedule_id,
            msgspec.json.encode(schedule.targets).decode(),
            to_message(command).SerializeToString(),
            schedule.queue_seconds,
            schedule.every,
            schedule.timezone,
            schedule.idempotency_key,
            schedule.created_wall_ns,
            schedule.next_wall_ns,
            schedule.fault,
            schedule.is_cancelled,
        ),
    )
    return schedule


def replace(connection: sqlite3.Connection, schedule: ScheduleRecord) -> None:
    """Write when it comes next, why it gave no job, and whether it was given up; a cancelled one stays so."""
    connection.execute(
        "UPDATE schedules SET next_wall_ns = ?, fault = ?, is_cancelled = max(is_cancelled, ?) WHERE schedule_id = ?",
        (schedule.next_wall_ns, schedule.fault, schedule.is_cancelled, schedule.schedule_id),
    )


def one(connection: sqlite3.Connection, schedule_id: str) -> ScheduleRecord:
    """One schedule.

    Raises:
        NotFoundError: no schedule has this identity.
    """
    row = connection.execute("SELECT * FROM schedules WHERE schedule_id = ?", (schedule_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no schedule is called '{schedule_id}'")
    return _schedule(row)


def every(connection: sqlite3.Connection) -> tuple[ScheduleRecord, ...]:
    """Every schedule that was not given up, the oldest first."""
    rows = connection.execute("SELECT * FROM schedules WHERE NOT is_cancelled ORDER BY created_wall_ns, rowid")
    return tuple(_schedule(row) for row in rows)


def _schedule(row: sqlite3.Row) -> ScheduleRecord:
    columns = dict(row)
    command = from_message(JobCommand, uplink_pb2.JobCommand.FromString(columns.pop("command")))
    columns["targets"] = msgspec.json.decode(columns["targets"], type=tuple[str, ...])
    columns["is_cancelled"] = bool(columns["is_cancelled"])
    return ScheduleRecord(
        plan=command.plan, model=command.model, engine=command.engine, python=command.python, **columns
    )
