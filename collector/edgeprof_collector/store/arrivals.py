"""What devices deliver, into the tables. Called within a transaction that holds the file's write lock."""

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Sequence

from edgeprof.telemetry import Gap, GapCause
from edgeprof.v1 import telemetry_pb2
from edgeprof.v1.run_pb2 import RunFinished, RunStarted, RunState
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof_collector.store.packing import pack
from edgeprof_collector.store.protocol import Arrival, Delivery

_log = logging.getLogger(__name__)

_LARGEST = 2**63 - 1
_CURSOR = "SELECT spool_id, stored_sequence, life FROM spools WHERE device_id = ? AND epoch = ?"


def keep(connection: sqlite3.Connection, delivery: Delivery) -> int:
    """Keep what is new of a delivery and move its cursor; return the cursor.

    The cursor is compared and set under the file's write lock, so the two are one.
    """
    row = connection.execute(_CURSOR, (delivery.device_id, delivery.epoch)).fetchone()
    if row is None:
        return 0
    spool_id, stored = int(row[0]), int(row[1])
    if row[2] != delivery.life:
        return stored
    if not _keep_layouts(connection, spool_id, delivery):
        return stored
    new = [arrival for arrival in delivery.arrivals if arrival.sequence > stored]
    if not new or new[0].first_sequence > stored + 1:
        return stored
    _keep_frames(connection, spool_id, [arrival for arrival in new if arrival.message.HasField("frame")])
    for arrival in new:
        if arrival.message.HasField("run_event"):
            _keep_event(connection, spool_id, delivery.device_id, arrival)
        elif arrival.message.HasField("gap"):
            _keep_gap(connection, spool_id, stored, arrival, delivery.wall_ns)
    connection.execute(
        "UPDATE spools SET stored_sequence = ?, last_seen_wall_ns = ? WHERE spool_id = ?",
        (new[-1].sequence, delivery.wall_ns, spool_id),
    )
    return new[-1].sequence


def _keep_layouts(connection: sqlite3.Connection, spool_id: int, delivery: Delivery) -> bool:
    """Keep the descriptions, each content once. ``False`` if a number has meant something else before."""
    for layout in delivery.layouts:
        channels = Layout(channels=layout.channels).SerializeToString(deterministic=True)
        digest = hashlib.sha256(channels).digest()
        connection.execute("INSERT OR IGNORE INTO layouts (digest, channels) VALUES (?, ?)", (digest, channels))
        (layout_id,) = connection.execute("SELECT layout_id FROM layouts WHERE digest = ?", (digest,)).fetchone()
        connection.execute("INSERT OR IGNORE INTO spool_layouts VALUES (?, ?, ?)", (spool_id, layout.layout, layout_id))
        (kept_id,) = connection.execute(
            "SELECT layout_id FROM spool_layouts WHERE spool_id = ? AND number = ?", (spool_id, layout.layout)
        ).fetchone()
        if kept_id != layout_id:
            _log.error("%s describes layout %d in two ways: refused", delivery.device_id, layout.layout)
            return False
    return True


def _keep_frames(connection: sqlite3.Connection, spool_id: int, arrivals: Sequence[Arrival]) -> None:
    connection.executemany(
        "INSERT INTO frames (spool_id, sequence, run_id, boot_id, start_monotonic_ns, end_monotonic_ns, "
        "start_wall_ns, placement, fault, deflated, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        _frame_rows(spool_id, arrivals),
    )


def _frame_rows(spool_id: int, arrivals: Iterable[Arrival]) -> Iterable[tuple[object, ...]]:
    for arrival in arrivals:
        frame = arrival.message.frame
        yield (
            spool_id,
            arrival.sequence,
            frame.run_id,
            frame.boot_id,
            min(frame.start_monotonic_ns, _LARGEST),
            min(frame.end_monotonic_ns, _LARGEST),
            arrival.wall_ns,
            arrival.placement.value,
            arrival.fault,
            *pack(arrival.payload),
        )


def _keep_event(connection: sqlite3.Connection, spool_id: int, device_id: str, arrival: Arrival) -> None:
    event = arrival.message.run_event
    kind = event.WhichOneof("event")
    run_id = getattr(event, kind).run_id if kind else ""
    connection.execute(
        "INSERT INTO run_events (spool_id, sequence, run_id, fault, deflated, message) VALUES (?, ?, ?, ?, ?, ?)",
        (spool_id, arrival.sequence, run_id, arrival.fault, *pack(arrival.payload)),
    )
    if arrival.fault:
        return
    if kind == "started":
        _open_run(connection, spool_id, device_id, event.started, arrival)
    elif kind == "finished":
        _close_run(connection, device_id, event.finished, arrival.wall_ns)


def _open_run(
    connection: sqlite3.Connection, spool_id: int, device_id: str, started: RunStarted, arrival: Arrival
) -> None:
    """List a run. A run id that is taken stays with the device that had it first."""
    connection.execute(
        "INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', '', NULL, 0, ?)",
        (
            started.run_id,
            device_id,
            spool_id,
            started.job_id,
            started.plan.name,
            started.model.name,
            started.model.quantisation,
            started.engine.name,
            started.engine.version,
            arrival.wall_ns,
            min(started.monotonic_ns, _LARGEST),
            arrival.placement.value,
        ),
    )


def _close_run(connection: sqlite3.Connection, device_id: str, finished: RunFinished, wall_ns: int) -> None:
    """Note how a run ended, once, and when: as far after its start as the device says, and not after it was heard."""
    state = RunState.Name(finished.state).removeprefix("RUN_STATE_").lower()
    end_ns = min(finished.monotonic_ns, _LARGEST) if finished.HasField("monotonic_ns") else None
    closed = connection.execute(
        "UPDATE runs SET state = ?, cause = ?, finished_monotonic_ns = ? "
        "WHERE run_id = ? AND device_id = ? AND state = 'running'",
        (state, finished.cause, end_ns, finished.run_id, device_id),
    )
    if closed.rowcount:
        connection.execute(
            "INSERT INTO run_ends (run_id, wall_ns) SELECT run_id, min(?, coalesce(started_wall_ns "
            "+ finished_monotonic_ns - started_monotonic_ns, ?)) FROM runs WHERE run_id = ?",
            (wall_ns, wall_ns, finished.run_id),
        )


def _keep_gap(connection: sqlite3.Connection, spool_id: int, stored: int, arrival: Arrival, wall_ns: int) -> None:
    """Record what was lost, less what had been stored before the device dropped it."""
    message = arrival.message.gap
    cause = telemetry_pb2.GapCause.Name(message.cause).removeprefix("GAP_CAUSE_").lower()
    gap = Gap(
        first_sequence=max(message.first_sequence, stored + 1),
        last_sequence=message.last_sequence,
        cause=GapCause(cause),
    )
    record_gap(connection, spool_id, gap, wall_ns)


def record_gap(connection: sqlite3.Connection, spool_id: int, gap: Gap, wall_ns: int) -> None:
    """Note messages that will never arrive."""
    connection.execute(
        "INSERT INTO gaps (spool_id, first_sequence, last_sequence, cause, learned_wall_ns) VALUES (?, ?, ?, ?, ?)",
        (spool_id, gap.first_sequence, gap.last_sequence, gap.cause.value, wall_ns),
    )
