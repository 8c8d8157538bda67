"""What the store gives up as it grows old or large: a little at a time, so that intake never waits for long.

Telemetry is thinned before it is deleted. What a destination of remote write has not had yet waits for it, so much
longer as the configuration says; only room for what is new comes before that.

The newest frame stays, whatever its age: its number says where the next one begins, and destinations of remote write
remember by it how far they are.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from msgspec import Meta

from edgeprof_collector.store.outgoing import Cursor
from edgeprof_collector.store.thinning import Reach, thin_idle, thin_runs

_DAY_NS = 86_400 * 10**9
_LARGEST = 2**63 - 1
_SECOND_NS = 10**9
# In one transaction: some milliseconds of writing.
_FRAMES_AT_ONCE = 256
_PAGES_AT_ONCE = 512
# Telemetry is thinned to one value in so long at most.
_COARSEST_NS = 10 * _SECOND_NS
# What is so new is not thinned to make room.
_WHOLE_IDLE_NS = 3600 * _SECOND_NS
_WHOLE_RUN_NS = _DAY_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long data is kept; 0 means for ever, or however large.

    ``idle_days`` is for telemetry outside of runs, ``run_days`` for runs with all that belongs to them. When the data
    take more than ``max_bytes``, idle telemetry of more than an hour ago is thinned, then the oldest goes; then the
    telemetry of runs that began more than a day ago is thinned, and then the oldest runs go. A run that is a baseline
    stays, and one that goes on.

    Before its time comes, idle telemetry and that of runs is thinned to one value a second, and later to one every
    10 s, when it is as old as ``..._1s_days`` and ``..._10s_days`` say. What a destination of remote write has not had
    is kept as it is for up to ``unsent_days`` longer.
    """

    idle_days: Annotated[float, Meta(ge=0)] = 30.0
    run_days: Annotated[float, Meta(ge=0)] = 0.0
    max_bytes: Annotated[int, Meta(ge=0)] = 0
    idle_1s_days: Annotated[float, Meta(ge=0)] = 2.0
    idle_10s_days: Annotated[float, Meta(ge=0)] = 7.0
    run_1s_days: Annotated[float, Meta(ge=0)] = 0.0
    run_10s_days: Annotated[float, Meta(ge=0)] = 0.0
    unsent_days: Annotated[float, Meta(ge=0)] = 7.0


@dataclass(frozen=True, slots=True)
class Retired:
    """What one pass gave up.

    ``unsent_frames`` of the frames that were deleted or thinned had not been had by every destination.
    """

    frames: int = 0
    runs: int = 0
    thinned_frames: int = 0
    unsent_frames: int = 0


def retire(
    connection: sqlite3.Connection, retention: Retention, now_wall_ns: int, destinations: Sequence[str] = ()
) -> Retired:
    """Thin or give up the next of what is too old or too much; nothing when all is well.

    Args:
        connection: within a transaction that writes.
        retention: what is to be kept.
        now_wall_ns: the time.
        destinations: the names of those that frames are sent on to.
    """
    sent = _sent_by_all(connection, destinations)
    done = _retire_within(connection, retention, now_wall_ns, Reach(sent, 0))
    if done != Retired() or not destinations:
        return done
    late = Reach(Cursor(_LARGEST, _LARGEST), round(retention.unsent_days * _DAY_NS))
    done = _retire_within(connection, retention, now_wall_ns, late)
    return replace(done, unsent_frames=done.frames + done.thinned_frames)


def _sent_by_all(connection: sqlite3.Connection, destinations: Sequence[str]) -> Cursor:
    """How far every destination has come. One that has not begun has had nothing."""
    frames, run_ends = [_LARGEST], [_LARGEST]
    for name in destinations:
        row = connection.execute("SELECT frame_id, run_end FROM destinations WHERE name = ?", (name,)).fetchone()
        frame, run_end = row or (0, 0)
        frames.append(frame)
        run_ends.append(run_end)
    return Cursor(min(frames), min(run_ends))


def _retire_within(connection: sqlite3.Connection, retention: Retention, now_wall_ns: int, reach: Reach) -> Retired:
    """Delete, or else thin, the next of the frames within reach."""
    if 0 < retention.max_bytes < data_bytes(connection):
        done = _make_room(connection, now_wall_ns, reach)
        if done != Retired():
            return done
    late_ns = now_wall_ns - reach.later_ns
    if frames := _retire_idle(connection, _before_ns(retention.idle_days, late_ns), reach):
        return Retired(frames)
    retired = _retire_run(connection, _before_ns(retention.run_days, late_ns), reach)
    if retired != Retired():
        return retired
    for bucket_ns, idle_days, run_days in (
        (_COARSEST_NS, retention.idle_10s_days, retention.run_10s_days),
        (_SECOND_NS, retention.idle_1s_days, retention.run_1s_days),
    ):
        thinned = thin_idle(connection, bucket_ns, _before_ns(idle_days, late_ns), reach)
        thinned = thinned or thin_runs(connection, bucket_ns, _before_ns(run_days, late_ns), reach)
        if thinned:
            return Retired(thinned_frames=thinned)
    return Retired()


def _make_room(connection: sqlite3.Connection, now_wall_ns: int, reach: Reach) -> Retired:
    """Thin, or else delete, the next of the frames within reach whatever its age; runs when nothing else is left."""
    if thinned := thin_idle(connection, _COARSEST_NS, now_wall_ns - _WHOLE_IDLE_NS, reach):
        return Retired(thinned_frames=thinned)
    if frames := _retire_idle(connection, now_wall_ns, reach):
        return Retired(frames)
    if thinned := thin_runs(connection, _COARSEST_NS, now_wall_ns - _WHOLE_RUN_NS, reach):
        return Retired(thinned_frames=thinned)
    return _retire_run(connection, now_wall_ns, reach)


def data_bytes(connection: sqlite3.Connection) -> int:
    """What the data take in the file, free pages not counted."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * page_bytes)


def _before_ns(days: float, now_wall_ns: int) -> int:
    return now_wall_ns - round(days * _DAY_NS) if days else 0


def _retire_idle(connection: sqlite3.Connection, before_ns: int, reach: Reach) -> int:
    """Delete the oldest telemetry outside of runs that began before a time; return how many frames."""
    return connection.execute(
        "DELETE FROM frames WHERE frame_id IN (SELECT frame_id FROM frames WHERE run_id = '' AND start_wall_ns < ? "
        "AND frame_id <= ? AND frame_id < (SELECT max(frame_id) FROM frames) "
        "ORDER BY start_wall_ns LIMIT ?)",
        (before_ns, reach.until.frame, _FRAMES_AT_ONCE),
    ).rowcount


def _retire_run(connection: sqlite3.Connection, before_ns: int, reach: Reach) -> Retired:
    """Delete the next of the oldest run that began before a time: some of its frames, or at last the run itself.

    One with frames or results beyond the reach waits whole.
    """
    row = connection.execute(
        "SELECT run_id FROM runs WHERE started_wall_ns < ? AND state <> 'running' AND NOT is_baseline "
        "AND NOT EXISTS (SELECT 1 FROM frames WHERE frames.run_id = runs.run_id AND frames.run_id <> '' "
        "AND frame_id > ?) "
        "AND NOT EXISTS (SELECT 1 FROM run_ends WHERE run_ends.run_id = runs.run_id AND position > ?) "
        "ORDER BY started_wall_ns LIMIT 1",
        (before_ns, *reach.until),
    ).fetchone()
    if row is None:
        return Retired()
    frames = connection.execute(
        "DELETE FROM frames WHERE frame_id IN (SELECT frame_id FROM frames WHERE run_id = ? "
        "AND frame_id < (SELECT max(frame_id) FROM frames) LIMIT ?)",
        (row[0], _FRAMES_AT_ONCE),
    ).rowcount
    if frames:
        return Retired(frames)
    # The newest frame of all, should it be of this run, stays as telemetry that belongs to none.
    connection.execute("UPDATE frames SET run_id = '' WHERE run_id = ?", row)
    for table in ("run_events", "run_ends", "runs"):
        connection.execute(f"DELETE FROM {table} WHERE run_id = ?", row)  # noqa: S608  names of this module
    return Retired(runs=1)


def return_space(connection: sqlite3.Connection) -> None:
    """Give some of the file's free pages back to the disk."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    for _ in range(min(free, _PAGES_AT_ONCE)):
        # SQLite frees a page for each step of the statement, and Python's module takes one step of it.
        connection.execute("PRAGMA incremental_vacuum(1)")
