"""What the store gives up as it grows old or large: a little at a time, so that intake never waits for long.

The newest frame stays, whatever its age: its number says where the next one begins, and destinations of remote write
remember by it how far they are.
"""

import sqlite3
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

_DAY_NS = 86_400 * 10**9
# In one transaction: some milliseconds of writing.
_FRAMES_AT_ONCE = 256
_PAGES_AT_ONCE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long data is kept; 0 means for ever, or however large.

    ``idle_days`` is for telemetry outside of runs, ``run_days`` for runs with all that belongs to them. When the data
    take more than ``max_bytes``, the oldest idle telemetry goes first, then the oldest runs. A run that is a baseline
    stays, and one that goes on.
    """

    idle_days: Annotated[float, Meta(ge=0)] = 30.0
    run_days: Annotated[float, Meta(ge=0)] = 0.0
    max_bytes: Annotated[int, Meta(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Retired:
    """What one pass gave up."""

    frames: int = 0
    runs: int = 0


def retire(connection: sqlite3.Connection, retention: Retention, now_wall_ns: int) -> Retired:
    """Give up the next of what is too old or too much; nothing when all is well."""
    too_large = 0 < retention.max_bytes < data_bytes(connection)
    idle_before_ns = _before_ns(retention.idle_days, now_wall_ns, everything=too_large)
    frames = _retire_idle(connection, idle_before_ns)
    if frames:
        return Retired(frames)
    return _retire_run(connection, _before_ns(retention.run_days, now_wall_ns, everything=too_large))


def data_bytes(connection: sqlite3.Connection) -> int:
    """What the data take in the file, free pages not counted."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * page_bytes)


def _before_ns(days: float, now_wall_ns: int, *, everything: bool) -> int:
    if everything:
        return now_wall_ns
    return now_wall_ns - round(days * _DAY_NS) if days else 0


def _retire_idle(connection: sqlite3.Connection, before_ns: int) -> int:
    """Delete the oldest telemetry outside of runs that began before a time; return how many frames."""
    return connection.execute(
        "DELETE FROM frames WHERE frame_id IN (SELECT frame_id FROM frames WHERE run_id = '' AND start_wall_ns < ? "
        "AND frame_id < (SELECT max(frame_id) FROM frames) ORDER BY start_wall_ns LIMIT ?)",
        (before_ns, _FRAMES_AT_ONCE),
    ).rowcount


def _retire_run(connection: sqlite3.Connection, before_ns: int) -> Retired:
    """Delete the next of the oldest run that began before a time: some of its frames, or at last the run itself."""
    row = connection.execute(
        "SELECT run_id FROM runs WHERE started_wall_ns < ? AND state <> 'running' AND NOT is_baseline "
        "ORDER BY started_wall_ns LIMIT 1",
        (before_ns,),
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
