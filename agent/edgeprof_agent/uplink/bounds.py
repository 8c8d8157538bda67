"""What the spool drops when it is too full or too old, and the gaps that remain."""

import sqlite3
from dataclasses import dataclass

from edgeprof.v1.telemetry_pb2 import GapCause
from edgeprof_agent.uplink.database import file_bytes, used_bytes
from edgeprof_agent.uplink.row import DROPPABLE, Priority

_BATCH = 16
_SMALL_BYTES = 4 * 1024 * 1024

INSERT = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the spool may hold.

    ``max_age_seconds`` counts time in which the agent ran: the wall clock of a device may jump by years. Of its disk
    the spool leaves ``min_free_bytes`` to others, as far as it is not small itself.
    """

    max_bytes: int
    max_age_seconds: float
    min_free_bytes: int = 0


def enforce_bytes(connection: sqlite3.Connection, max_bytes: int) -> int:
    """Drop the oldest of the least important until the file's content fits, with a little room to spare.

    Returns:
        how many messages were dropped.
    """
    return _shrink_to(connection, max_bytes, max_bytes - max_bytes // 16, GapCause.GAP_CAUSE_SPOOL_FULL)


def enforce_free_disk(connection: sqlite3.Connection, free_bytes: int, min_free_bytes: int) -> int:
    """Drop likewise while the disk has less room than others should have, as if the space were given back.

    A small spool keeps what it has: it is not what fills the disk.

    Returns:
        how many messages were dropped.
    """
    missing = min_free_bytes - free_bytes
    if missing <= 0:
        return 0
    enough = max(file_bytes(connection) - missing, _SMALL_BYTES)
    return _shrink_to(connection, enough, enough, GapCause.GAP_CAUSE_DISK_FULL)


def _shrink_to(connection: sqlite3.Connection, limit_bytes: int, enough_bytes: int, cause: "GapCause") -> int:
    dropped = 0
    if used_bytes(connection) <= limit_bytes:
        return dropped
    for priority in DROPPABLE:
        while used_bytes(connection) > enough_bytes:
            oldest = _oldest(connection, priority)
            if not oldest:
                break
            _replace_by_gaps(connection, [position for position, _ in oldest], cause)
            dropped += len(oldest)
    return dropped


def enforce_age(connection: sqlite3.Connection, spooled_before_seconds: float) -> int:
    """Drop what was spooled before the spool's clock showed this; return how many messages that was."""
    dropped = 0
    for priority in DROPPABLE:
        while True:
            oldest = _oldest(connection, priority)
            too_old = [position for position, spooled in oldest if spooled < spooled_before_seconds]
            if not too_old:
                break
            _replace_by_gaps(connection, too_old, GapCause.GAP_CAUSE_SPOOL_AGE)
            dropped += len(too_old)
    return dropped


def _oldest(connection: sqlite3.Connection, priority: Priority) -> list[tuple[int, int]]:
    query = "SELECT position, spooled_seconds FROM messages WHERE priority = ? ORDER BY position LIMIT ?"
    return connection.execute(query, (priority, _BATCH)).fetchall()


def _replace_by_gaps(connection: sqlite3.Connection, positions: list[int], cause: "GapCause") -> None:
    """Put a gap in the place of each stretch of neighbouring positions, one with the gaps that it touches."""
    start = 0
    for index, position in enumerate(positions):
        if index + 1 == len(positions) or positions[index + 1] != position + 1:
            _replace_by_gap(connection, positions[start], position, cause)
            start = index + 1


def _replace_by_gap(connection: sqlite3.Connection, first: int, last: int, cause: "GapCause") -> None:
    (spooled,) = connection.execute("SELECT spooled_seconds FROM messages WHERE position = ?", (last,)).fetchone()
    connection.execute("DELETE FROM messages WHERE position BETWEEN ? AND ?", (first, last))
    before = connection.execute(
        "SELECT gap_first FROM messages WHERE position = ? AND gap_cause = ?", (first - 1, cause)
    ).fetchone()
    if before:
        connection.execute("DELETE FROM messages WHERE position = ?", (first - 1,))
        (first,) = before
    after = connection.execute(
        "SELECT position, gap_first, gap_cause FROM messages WHERE position > ? ORDER BY position LIMIT 1", (last,)
    ).fetchone()
    if after and after[1:] == (last + 1, cause):
        connection.execute("UPDATE messages SET gap_first = ? WHERE position = ?", (first, after[0]))
    else:
        connection.execute(INSERT, (last, Priority.GAP, spooled, None, first, cause))
