"""What goes on from the SQLite store to other databases."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof_collector.store import runs
from edgeprof_collector.store.database import Database
from edgeprof_collector.store.outgoing import Cursor, RefusedWrite, RunEnd, StoredFrame, StoredLayout, WriteKind
from edgeprof_collector.store.packing import unpack

_REFUSALS_KEPT = 200
_READABLE_FRAMES = (
    "SELECT frame_id, spool_id, device_id, start_wall_ns, deflated, message FROM frames JOIN spools USING (spool_id) "
    "WHERE fault = '' AND "
)


class SqliteOutgoing:
    """An :class:`~edgeprof_collector.store.outgoing.Outgoing` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self, destination: str, *, send_stored: bool) -> Cursor:
        """See :meth:`Outgoing.cursor`."""
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT frame_id, run_end FROM destinations WHERE name = ?", (destination,)
            ).fetchone()
            if row:
                return Cursor(*row)
            cursor = Cursor(0, 0) if send_stored else _newest(connection)
            connection.execute(
                "INSERT INTO destinations (name, first_frame_id, frame_id, run_end) VALUES (?, ?, ?, ?)",
                (destination, cursor.frame, cursor.frame, cursor.run_end),
            )
            return cursor

    def move_cursor(self, destination: str, cursor: Cursor) -> None:
        """See :meth:`Outgoing.move_cursor`."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE destinations SET frame_id = max(frame_id, ?), run_end = max(run_end, ?) WHERE name = ?",
                (cursor.frame, cursor.run_end, destination),
            )

    def frames_after(self, position: int, most_bytes: int) -> Sequence[StoredFrame]:
        """See :meth:`Outgoing.frames_after`."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_READABLE_FRAMES} frame_id > ? ORDER BY frame_id", (position,))
            return _stored_frames(connection, _first_rows(rows, most_bytes))

    def run_ends_after(self, position: int, most: int) -> Sequence[RunEnd]:
        """See :meth:`Outgoing.run_ends_after`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT position, run_id, wall_ns FROM run_ends JOIN runs USING (run_id) WHERE position > ? "
                "ORDER BY position LIMIT ?",
                (position, most),
            ).fetchall()
            return [RunEnd(number, runs.summary(connection, run_id), wall_ns) for number, run_id, wall_ns in rows]

    def last_frames(self, destination: str, device_id: str, most: int) -> Sequence[StoredFrame]:
        """See :meth:`Outgoing.last_frames`."""
        with self._database.reading() as connection:
            (spool_id, newest) = connection.execute(
                "SELECT spool_id, max((SELECT frame_id FROM frames WHERE frames.spool_id = spools.spool_id "
                "AND fault = '' ORDER BY sequence DESC LIMIT 1)) FROM spools WHERE device_id = ?",
                (device_id,),
            ).fetchone()
            (known_until,) = connection.execute(
                "SELECT max(first_frame_id, coalesce((SELECT frame_id FROM ended_series WHERE destination = name "
                "AND device_id = ?), 0)) FROM destinations WHERE name = ?",
                (device_id, destination),
            ).fetchone()
            if newest is None or newest <= known_until:
                return ()
            rows = connection.execute(
                f"{_READABLE_FRAMES} spool_id = ? AND frame_id > ? ORDER BY sequence DESC LIMIT ?",
                (spool_id, known_until, most),
            )
            return _stored_frames(connection, rows)

    def end_series(self, destination: str, device_id: str, position: int) -> None:
        """See :meth:`Outgoing.end_series`."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO ended_series (destination, device_id, frame_id) VALUES (?, ?, ?)",
                (destination, device_id, position),
            )

    def set_aside(self, refused: RefusedWrite) -> None:
        """See :meth:`Outgoing.set_aside`."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO refused_writes (destination, kind, position, samples, status, reason, refused_wall_ns) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                refused,
            )
            connection.execute(
                "DELETE FROM refused_writes WHERE destination = ? AND refusal_id NOT IN (SELECT refusal_id "
                "FROM refused_writes WHERE destination = ? ORDER BY refusal_id DESC LIMIT ?)",
                (refused.destination, refused.destination, _REFUSALS_KEPT),
            )

    def refused_writes(self, destination: str) -> tuple[RefusedWrite, ...]:
        """See :meth:`Outgoing.refused_writes`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT destination, kind, position, samples, status, reason, refused_wall_ns FROM refused_writes "
                "WHERE destination = ? ORDER BY refusal_id",
                (destination,),
            )
            return tuple(RefusedWrite(**{**dict(row), "kind": WriteKind(row["kind"])}) for row in rows)


def _newest(connection: sqlite3.Connection) -> Cursor:
    (frame,) = connection.execute("SELECT coalesce(max(frame_id), 0) FROM frames").fetchone()
    (run_end,) = connection.execute("SELECT coalesce(max(position), 0) FROM run_ends").fetchone()
    return Cursor(frame, run_end)


def _first_rows(rows: Iterable[sqlite3.Row], most_bytes: int) -> Iterator[sqlite3.Row]:
    """The first rows, until one would go beyond ``most_bytes``; the first of all in any case."""
    total = 0
    for row in rows:
        total += len(row["message"])
        if total > most_bytes and total > len(row["message"]):
            return
        yield row


def _stored_frames(connection: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> Sequence[StoredFrame]:
    layouts = _Layouts(connection)
    found = []
    for frame_id, spool_id, device_id, start_wall_ns, deflated, message in rows:
        frame = unpack(deflated, message).frame
        numbers = {block.layout: layouts.find(spool_id, block.layout) for block in frame.blocks}
        found.append(StoredFrame(frame_id, device_id, start_wall_ns, frame, numbers))
    return found


class _Layouts:
    """Layouts of spools, each read and parsed once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._by_number: dict[tuple[int, int], StoredLayout] = {}
        self._by_id: dict[int, StoredLayout] = {}

    def find(self, spool_id: int, number: int) -> StoredLayout:
        """What a spool means by a layout's number. It is stored: a frame whose layouts are not has a fault."""
        key = (spool_id, number)
        if key not in self._by_number:
            layout_id, channels = self._connection.execute(
                "SELECT layout_id, channels FROM spool_layouts JOIN layouts USING (layout_id) "
                "WHERE spool_id = ? AND number = ?",
                key,
            ).fetchone()
            if layout_id not in self._by_id:
                self._by_id[layout_id] = StoredLayout(layout_id, Layout.FromString(channels))
            self._by_number[key] = self._by_id[layout_id]
        return self._by_number[key]
