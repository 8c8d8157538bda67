"""Devices that connect: who they are, and where their spools go on. Called within a writing transaction."""

import sqlite3
from collections.abc import Sequence

from edgeprof.telemetry import Gap, GapCause
from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof_collector.store.arrivals import record_gap
from edgeprof_collector.store.protocol import Admission, Greeting

# Each start of an agent is a life. Of an agent that parted from the others longer ago, everything is taken again.
_LIVES_KEPT = 64


def describe(connection: sqlite3.Connection, facts: DeviceFacts) -> None:
    """Replace the facts of a device that has connected before."""
    connection.execute("UPDATE devices SET facts = ? WHERE device_id = ?", (facts.SerializeToString(), facts.device_id))


def admit(connection: sqlite3.Connection, greeting: Greeting) -> Admission:
    """Note that a device has connected, and say where it goes on."""
    former = _meet_device(connection, greeting)
    spool_id, stored, is_new = _meet_spool(connection, greeting)
    parted_at = _hand_over(connection, spool_id, stored, greeting.lives)
    if parted_at is not None:
        return Admission(parted_at, new_epoch_required=True, superseded=True)
    if greeting.newest_sequence < stored:
        return Admission(stored, new_epoch_required=True)
    if not is_new:
        former = None
    oldest = greeting.oldest_sequence or greeting.newest_sequence + 1
    if oldest <= stored + 1:
        return Admission(stored, former=former)
    lost = Gap(first_sequence=stored + 1, last_sequence=oldest - 1, cause=GapCause.NEVER_SENT)
    record_gap(connection, spool_id, lost, greeting.wall_ns)
    connection.execute("UPDATE spools SET stored_sequence = ? WHERE spool_id = ?", (lost.last_sequence, spool_id))
    return Admission(lost.last_sequence, lost=lost, former=former)


def _meet_device(connection: sqlite3.Connection, greeting: Greeting) -> DeviceFacts | None:
    """Take the device's facts; return those of before."""
    device_id, facts = greeting.facts.device_id, greeting.facts.SerializeToString()
    row = connection.execute("SELECT facts FROM devices WHERE device_id = ?", (device_id,)).fetchone()
    connection.execute(
        "INSERT INTO devices VALUES (?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET facts = excluded.facts",
        (device_id, facts, greeting.wall_ns),
    )
    return DeviceFacts.FromString(row[0]) if row else None


def _meet_spool(connection: sqlite3.Connection, greeting: Greeting) -> tuple[int, int, bool]:
    """Return the spool's id, its cursor, and whether it is seen for the first time."""
    key = (greeting.facts.device_id, greeting.epoch)
    row = connection.execute(
        "SELECT spool_id, stored_sequence FROM spools WHERE device_id = ? AND epoch = ?", key
    ).fetchone()
    if row:
        connection.execute("UPDATE spools SET last_seen_wall_ns = ? WHERE spool_id = ?", (greeting.wall_ns, row[0]))
        return int(row[0]), int(row[1]), False
    inserted = connection.execute(
        "INSERT INTO spools (device_id, epoch, stored_sequence, last_seen_wall_ns, life) VALUES (?, ?, 0, ?, ?)",
        (*key, greeting.wall_ns, greeting.lives[0]),
    )
    assert inserted.lastrowid is not None
    return inserted.lastrowid, 0, True


def _hand_over(connection: sqlite3.Connection, spool_id: int, stored: int, lives: Sequence[bytes]) -> int | None:
    """Give the epoch to the first of these lives. If its owner is none of them, return where their ways parted."""
    (owner,) = connection.execute("SELECT life FROM spools WHERE spool_id = ?", (spool_id,)).fetchone()
    if owner == lives[0]:
        return None
    if owner not in lives:
        known = dict(
            connection.execute("SELECT life, stored_sequence FROM former_lives WHERE spool_id = ?", (spool_id,))
        )
        return next((known[life] for life in lives if life in known), 0)
    connection.execute("INSERT OR REPLACE INTO former_lives VALUES (?, ?, ?)", (spool_id, owner, stored))
    connection.execute(
        "DELETE FROM former_lives WHERE spool_id = ? AND rowid NOT IN "
        "(SELECT rowid FROM former_lives WHERE spool_id = ? ORDER BY rowid DESC LIMIT ?)",
        (spool_id, spool_id, _LIVES_KEPT),
    )
    connection.execute("UPDATE spools SET life = ? WHERE spool_id = ?", (lives[0], spool_id))
    return None
