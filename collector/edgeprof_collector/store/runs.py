"""Runs and their telemetry, out of the tables."""

import sqlite3
from collections.abc import Iterable
from typing import TypeVar

from edgeprof.messages import run_event_from_message
from edgeprof.run import (
    CeilingMeasured,
    ModelLoaded,
    NextTokens,
    PeakBandwidth,
    Phase,
    Request,
    RunEvent,
    RunFinished,
    RunRecord,
    RunStarted,
    RunState,
    TaskAnswers,
    TextScore,
    VariantMemory,
)
from edgeprof.telemetry import Gap, GapCause, Placement
from edgeprof.v1.telemetry_pb2 import Layout, RunTelemetry
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.packing import unpack
from edgeprof_collector.store.records import RunSummary

T = TypeVar("T", bound=RunEvent)


_SUMMARIES = (
    "SELECT run_id, device_id, job_id, plan, model, quantisation, engine, engine_version, state, cause, "
    "started_wall_ns, (finished_monotonic_ns - started_monotonic_ns) / 1e9 AS duration_seconds, is_baseline FROM runs "
)


def summaries(connection: sqlite3.Connection) -> tuple[RunSummary, ...]:
    """Every run whose start is known, the latest first."""
    rows = connection.execute(f"{_SUMMARIES} ORDER BY started_wall_ns DESC, rowid DESC")
    return tuple(_summary(row) for row in rows)


def summary(connection: sqlite3.Connection, run_id: str) -> RunSummary:
    """One run whose start is known."""
    return _summary(connection.execute(f"{_SUMMARIES} WHERE run_id = ?", (run_id,)).fetchone())


def _summary(row: sqlite3.Row) -> RunSummary:
    state, is_baseline = RunState(row["state"]), bool(row["is_baseline"])
    return RunSummary(**{**dict(row), "state": state, "is_baseline": is_baseline})


def set_baseline(connection: sqlite3.Connection, run_id: str, *, is_baseline: bool) -> None:
    """Keep a run for others to be compared with, or no longer.

    Raises:
        NotFoundError: no run of this name has started.
    """
    _run(connection, run_id)
    connection.execute("UPDATE runs SET is_baseline = ? WHERE run_id = ?", (is_baseline, run_id))


def record(connection: sqlite3.Connection, run_id: str) -> RunRecord:
    """One run with all its events that can be read.

    Raises:
        NotFoundError: no run of this name has started.
    """
    device_id, spool_id, state = _run(connection, run_id)
    rows = connection.execute(
        "SELECT deflated, message FROM run_events JOIN spools USING (spool_id) "
        "WHERE run_id = ? AND device_id = ? AND fault = '' ORDER BY event_id",
        (run_id, device_id),
    )
    events = [run_event_from_message(unpack(*row).run_event) for row in rows]
    return RunRecord(
        started=_of_kind(events, RunStarted)[0],
        ceilings=_of_kind(events, CeilingMeasured),
        peaks=_of_kind(events, PeakBandwidth),
        phases=tuple(sorted(_of_kind(events, Phase), key=lambda phase: phase.start_monotonic_ns)),
        loaded=_of_kind(events, ModelLoaded),
        requests=tuple(sorted(_of_kind(events, Request), key=lambda request: request.start_monotonic_ns)),
        next_tokens=_of_kind(events, NextTokens),
        text_scores=_of_kind(events, TextScore),
        variant_memory=_of_kind(events, VariantMemory),
        task_answers=_of_kind(events, TaskAnswers),
        finished=next(iter(_of_kind(events, RunFinished)), None),
        gaps=_gaps(connection, run_id, device_id, spool_id, is_open=state == RunState.RUNNING.value),
        placement=_placement(connection, run_id, device_id),
    )


def telemetry(connection: sqlite3.Connection, run_id: str) -> RunTelemetry:
    """All frames of a run that can be read, in the order of time, with layouts numbered anew from 1.

    Raises:
        NotFoundError: no run of this name has started.
    """
    device_id, _, _ = _run(connection, run_id)
    rows = connection.execute(
        "SELECT spool_id, deflated, message FROM frames JOIN spools USING (spool_id) "
        "WHERE run_id = ? AND device_id = ? AND fault = '' ORDER BY start_monotonic_ns, frame_id",
        (run_id, device_id),
    )
    result = RunTelemetry()
    new_numbers: dict[int, int] = {}
    for spool_id, deflated, message in rows:
        frame = result.frames.add()
        frame.CopyFrom(unpack(deflated, message).frame)
        for block in frame.blocks:
            layout_id, channels = connection.execute(
                "SELECT layout_id, channels FROM spool_layouts JOIN layouts USING (layout_id) "
                "WHERE spool_id = ? AND number = ?",
                (spool_id, block.layout),
            ).fetchone()
            if layout_id not in new_numbers:
                new_numbers[layout_id] = len(new_numbers) + 1
                layout = Layout.FromString(channels)
                layout.layout = new_numbers[layout_id]
                result.layouts.append(layout)
            block.layout = new_numbers[layout_id]
    return result


def _run(connection: sqlite3.Connection, run_id: str) -> tuple[str, int, str]:
    row: tuple[str, int, str] | None = connection.execute(
        "SELECT device_id, spool_id, state FROM runs WHERE run_id = ?", (run_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"no run is called '{run_id}'")
    return row


def _gaps(
    connection: sqlite3.Connection, run_id: str, device_id: str, first_spool_id: int, *, is_open: bool
) -> tuple[Gap, ...]:
    """What was lost between the messages of a run.

    A gap right after an open run's last message took its end. A gap right before the first message in a spool
    other than the one that the run began in took the messages between.
    """
    rows = connection.execute(
        """
        WITH extents AS (
            SELECT spool_id, min(sequence) AS first, max(sequence) AS last
            FROM (
                SELECT spool_id, sequence FROM run_events WHERE run_id = :run_id
                UNION ALL SELECT spool_id, sequence FROM frames WHERE run_id = :run_id AND run_id <> ''
            ) JOIN spools USING (spool_id)
            WHERE device_id = :device_id GROUP BY spool_id
        )
        SELECT first_sequence, last_sequence, cause FROM gaps JOIN extents USING (spool_id)
        WHERE last_sequence >= first - (spool_id <> :first_spool_id) AND first_sequence <= last + :is_open
        ORDER BY gap_id
        """,
        {"run_id": run_id, "device_id": device_id, "first_spool_id": first_spool_id, "is_open": is_open},
    )
    return tuple(gap(*row) for row in rows)


def _placement(connection: sqlite3.Connection, run_id: str, device_id: str) -> Placement:
    """How the least sure of the run's times was placed."""
    rows = connection.execute(
        "SELECT placement FROM runs WHERE run_id = :run_id UNION SELECT placement FROM frames JOIN spools "
        "USING (spool_id) WHERE run_id = :run_id AND run_id <> '' AND device_id = :device_id AND fault = ''",
        {"run_id": run_id, "device_id": device_id},
    )
    return max((Placement(name) for (name,) in rows), key=tuple(Placement).index)


def gap(first_sequence: int, last_sequence: int, cause: str) -> Gap:
    """A gap from its columns."""
    return Gap(first_sequence=first_sequence, last_sequence=last_sequence, cause=GapCause(cause))


def _of_kind(events: Iterable[RunEvent | None], kind: type[T]) -> tuple[T, ...]:
    return tuple(event for event in events if isinstance(event, kind))
