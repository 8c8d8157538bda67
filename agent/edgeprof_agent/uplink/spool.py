"""The spool: every message that the collector has not acknowledged yet, in order, across restarts.

New messages wait in memory and are written together. What is acknowledged before that never reaches the disk: a
connected device that is idle writes nothing at all.

A message's identity is (epoch, sequence). Inside, messages have *positions*, which are dense and grow for ever; the
sequence is the distance to the position at which the epoch began. So a new epoch costs one row, however much waits.

Messages may be sent before they are written, so after a loss of power the collector may have stored sequences that
this spool has never heard of, and the spool may give them again, to other messages. ``never_sent_from`` keeps that
harmless. It marks, from an opening of the spool until the collector has been heard, where the messages begin that were
surely never sent, and the device vouches only for those before it. Is the collector further than that, a new epoch
begins, and what is marked moves into it whole.
"""

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from edgeprof.telemetry import Channel
from edgeprof.v1.telemetry_pb2 import GapCause, Layout
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_agent.uplink.bounds import INSERT, Bounds, enforce_age, enforce_bytes, enforce_free_disk
from edgeprof_agent.uplink.database import DamagedError, Database, UnwritableError, used_bytes
from edgeprof_agent.uplink.layouts import Layouts
from edgeprof_agent.uplink.lives import Lives
from edgeprof_agent.uplink.row import DROPPABLE, Priority, Row, gap_row, merged
from edgeprof_agent.uplink.status import Drops, SpoolStatus

_PENDING_BYTES = 256 * 1024
_PENDING_BYTES_UNWRITABLE = 1024 * 1024
_ACKNOWLEDGED_ROWS = 1024

_SELECT_OLDEST = "SELECT * FROM messages WHERE position > ? ORDER BY position LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What makes positions into identities."""

    epoch: bytes
    epoch_start: int
    never_sent_from: int | None


class Spool:
    """The queue of messages to the collector. One writer, one thread.

    Attributes:
        failure: why the disk cannot be written now; ``None`` when it can.
        lives: the processes that have used it, this one included.
    """

    def __init__(self, database: Database, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self.failure: str | None = None
        self._database = database
        self._bounds = bounds
        try:
            found = _find(database)
        except DamagedError as error:
            database.replace(error)
            found = _find(database)
        self._state, self._written, self._layouts = found.state, found.written, found.layouts
        self._newest = self._stored_newest = found.newest
        self._acknowledged = self._deleted = found.oldest - 1
        self._clock, self._clock_zero = clock, clock() - found.spooled_seconds
        self._pending: deque[Row] = deque()
        self._pending_bytes = 0
        self._drops = Drops()
        self._stored_bytes = 0
        self._stored_oldest_seconds = found.oldest_seconds
        if database.was_damaged:
            self._newest = 1
            self._add(gap_row(1, 1, GapCause.GAP_CAUSE_SPOOL_CORRUPT, 0))
        database.refills.append(self._refill)
        self.lives = Lives(database)

    @property
    def epoch(self) -> bytes:
        """16 random bytes: the life within which sequences count."""
        return self._state.epoch

    @property
    def newest_sequence(self) -> int:
        """The last sequence given; 0 when there was none in this epoch."""
        return self._newest - self._state.epoch_start

    @property
    def vouched_sequence(self) -> int:
        """The newest sequence of which the device knows that it has stood for one message only."""
        never_sent_from = self._state.never_sent_from
        return (self._newest if never_sent_from is None else never_sent_from - 1) - self._state.epoch_start

    @property
    def oldest_sequence(self) -> int:
        """The oldest sequence that waits, among those vouched for; 0 when none does."""
        sequence = self._oldest_position() - self._state.epoch_start
        return sequence if sequence <= self.vouched_sequence else 0

    @property
    def empty(self) -> bool:
        """Whether everything is acknowledged."""
        return self._acknowledged == self._newest

    def status(self) -> SpoolStatus:
        """Return how much waits, and what was dropped."""
        oldest = self._stored_oldest_seconds if self._acknowledged < self._stored_newest else None
        if oldest is None and self._pending:
            oldest = self._pending[0].spooled_seconds
        return SpoolStatus(
            size_bytes=self._stored_bytes + self._pending_bytes,
            max_bytes=self._bounds.max_bytes,
            messages=self._newest - self._acknowledged,
            oldest_age_seconds=0 if oldest is None else self._now_seconds() - oldest,
            drops=replace(self._drops),
            set_aside_files=self._database.set_aside_files,
        )

    @property
    def dirty(self) -> bool:
        """Whether :meth:`flush` has something to write."""
        deletable = min(self._acknowledged, self._stored_newest) > self._deleted
        return bool(self._pending) or deletable or self._layouts.unsaved

    def append(self, message: AgentMessage, priority: Priority) -> int:
        """Add a message, without a sequence of its own, and return the sequence that it got."""
        self._newest += 1
        self._add(Row(self._newest, priority, self._now_seconds(), message.SerializeToString()))
        if self._pending_bytes > _PENDING_BYTES:
            self.flush()
        return self.newest_sequence

    def layout_number(self, channels: tuple[Channel, ...]) -> int:
        """Return the number under which a set of channels is described in the message that comes next."""
        number = self._layouts.number(channels, self._newest + 1, self._acknowledged)
        if self._layouts.unsaved:
            self.flush()  # before it is sent: it must never be given twice
        return number

    def layout(self, number: int) -> Layout:
        """Return the description of a layout that a waiting message uses."""
        return self._layouts.layout(number)

    def read_after(self, sequence: int, limit: int) -> list[AgentMessage]:
        """Return the next messages after ``sequence``, at most ``limit``, with their sequences set."""
        position = max(self._state.epoch_start + sequence, self._acknowledged)
        rows: list[Row] = []
        if position < self._stored_newest:
            query = "SELECT * FROM messages WHERE position > ? ORDER BY position LIMIT ?"
            rows = [Row(*row) for row in self._rows(query, (position, limit))]
        rows += [row for row in self._pending if row.position > position][: limit - len(rows)]
        return [row.message(self._state.epoch_start) for row in rows]

    def acknowledge(self, sequence: int) -> None:
        """Forget everything up to ``sequence``: the collector has it."""
        position = min(self._state.epoch_start + sequence, self._newest)
        if position <= self._acknowledged:
            return
        self._acknowledged = position
        while self._pending and self._pending[0].position <= position:
            self._pending_bytes -= len(self._pending.popleft().body or b"")
        if min(position, self._stored_newest) - self._deleted > _ACKNOWLEDGED_ROWS:
            self.flush()

    def welcome(self, stored_sequence: int, new_epoch_required: bool) -> bool:
        """Go by what the collector has stored. Return whether the epoch goes on; if not, say hello with the new one.

        Raises:
            UnwritableError: the disk cannot be written, and sending now could make messages count twice.
        """
        vouched = self.vouched_sequence
        if stored_sequence <= vouched or self._state.never_sent_from is not None:
            self.acknowledge(min(stored_sequence, vouched))
        goes_on = not new_epoch_required and stored_sequence <= vouched
        if goes_on:
            self._become(replace(self._state, never_sent_from=None))
            self.lives.welcomed()
        else:
            start = self._oldest_position() - 1
            self._become(_State(epoch=os.urandom(16), epoch_start=start, never_sent_from=None))
        return goes_on

    def flush(self, *, force: bool = False) -> bool:
        """Write what waits in memory and delete what is acknowledged. Return whether the disk could be written.

        Args:
            force: write the state too when there is nothing else to write, as before a stop.
        """
        if not (self.dirty or force):
            return True
        try:
            try:
                self._write()
            except DamagedError as error:
                self._database.replace(error)
                self._write()
        except UnwritableError as error:
            self.failure = str(error)
            self._shed_pending()
            return False
        self.failure = None
        return True

    def _write(self) -> None:
        state = self._state
        with self._database.transaction() as connection:
            if self._acknowledged > self._deleted:
                connection.execute("DELETE FROM messages WHERE position <= ?", (self._acknowledged,))
            self._layouts.save(connection)
            connection.executemany(INSERT, self._pending)
            connection.execute(
                "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?)",
                (state.epoch, state.epoch_start, self._newest, state.never_sent_from),
            )
            drops = self._enforce_bounds(connection)
            self._stored_bytes = used_bytes(connection)
            oldest = connection.execute("SELECT spooled_seconds FROM messages ORDER BY position LIMIT 1").fetchone()
        self._drops.add(drops)
        self._stored_oldest_seconds = oldest[0] if oldest else None
        self._written = state
        self._deleted = self._acknowledged
        self._stored_newest = self._newest
        self._pending.clear()
        self._pending_bytes = 0
        self._layouts.saved()
        if self.empty or drops.disk_full:
            self._database.shrink()

    def _enforce_bounds(self, connection: sqlite3.Connection) -> Drops:
        bounds = self._bounds
        drops = Drops(
            spool_age=enforce_age(connection, self._now_seconds() - bounds.max_age_seconds),
            spool_full=enforce_bytes(connection, bounds.max_bytes),
        )
        if bounds.min_free_bytes:
            drops.disk_full = enforce_free_disk(connection, self._database.free_bytes(), bounds.min_free_bytes)
        return drops

    def _become(self, state: _State) -> None:
        """Take up a state once it is on the disk; nothing needs writing when the disk says so already."""
        before, self._state = self._state, state
        if state != self._written and self._written is not None and not self.flush(force=True):
            self._state = before
            raise UnwritableError(self.failure)

    def _add(self, row: Row) -> None:
        self._pending.append(row)
        self._pending_bytes += len(row.body or b"")

    def _shed_pending(self) -> None:
        """Keep memory bounded while the disk cannot be written."""
        if self._pending_bytes <= _PENDING_BYTES_UNWRITABLE:
            return
        rows = list(self._pending)
        for priority in DROPPABLE:
            for index, row in enumerate(rows):
                if row.priority == priority and row.body and self._pending_bytes > _PENDING_BYTES_UNWRITABLE // 2:
                    rows[index] = gap_row(row.position, row.position, GapCause.GAP_CAUSE_DISK_FULL, row.spooled_seconds)
                    self._pending_bytes -= len(row.body)
                    self._drops.disk_full += 1
        self._pending = deque(merged(rows))

    def _refill(self) -> None:
        """The file is a new one: what it held is a gap now."""
        self._deleted = max(self._acknowledged, self._deleted)
        if self._stored_newest > self._deleted:
            cause = GapCause.GAP_CAUSE_SPOOL_CORRUPT
            self._drops.spool_corrupt += self._stored_newest - self._deleted
            self._pending.appendleft(gap_row(self._deleted + 1, self._stored_newest, cause, self._now_seconds()))
        self._stored_newest = self._deleted
        self._written = None
        self._layouts.refill()

    def _rows(self, query: str, parameters: tuple[int, ...]) -> list[Any]:
        try:
            return self._database.rows(query, parameters)
        except DamagedError as error:
            self._database.replace(error)
            return []

    def _oldest_position(self) -> int:
        """The position of the oldest message that waits; the next one to be given when none does."""
        in_file = self._acknowledged < self._stored_newest
        stored = self._rows(_SELECT_OLDEST, (self._acknowledged,)) if in_file else []
        rows = [Row(*row) for row in stored] or list(self._pending)[:1]
        return max(rows[0].first, self._acknowledged + 1) if rows else self._newest + 1

    def _now_seconds(self) -> int:
        """The spool's own clock. It goes on where the newest message left it, and rests while the agent does."""
        return int(self._clock() - self._clock_zero)


class _Found(NamedTuple):
    """What the life before left in the file."""

    state: _State
    written: _State | None
    newest: int
    oldest: int
    spooled_seconds: int
    oldest_seconds: int | None
    layouts: Layouts


def _find(database: Database) -> _Found:
    newest, written = 0, None
    state = _State(epoch=os.urandom(16), epoch_start=0, never_sent_from=None)
    for epoch, start, newest, never_sent_from in database.rows(
        "SELECT epoch, epoch_start, newest, never_sent_from FROM state"
    ):
        written = _State(epoch=epoch, epoch_start=start, never_sent_from=never_sent_from)
        state = replace(written, never_sent_from=never_sent_from or newest + 1)
    oldest = [Row(*row) for row in database.rows(_SELECT_OLDEST, (0,))]
    times = [time for (time,) in database.rows("SELECT spooled_seconds FROM messages ORDER BY position DESC LIMIT 1")]
    return _Found(
        state=state,
        written=written,
        newest=newest,
        oldest=oldest[0].first if oldest else newest + 1,
        oldest_seconds=oldest[0].spooled_seconds if oldest else None,
        spooled_seconds=times[0] if times else 0,
        layouts=Layouts(database, newest),
    )
