"""Thins frames in the tables: neighbours become one frame, with one value per gauge and bucket.

Called within a transaction that writes, so that a frame is either as it was or thinned, whatever dies when.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeprof.telemetry import MalformedFrameError
from edgeprof.thinned import decode_thinned, encode_thinned, join, thin
from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.store.outgoing import Cursor
from edgeprof_collector.store.packing import pack, unpack

# What becomes one frame at most, so that a pass takes about a tenth of a second: others wait to write meanwhile.
_FRAMES_AT_ONCE = 64
_BYTES_AT_ONCE = 1 << 18
_VALUES_AT_ONCE = 1 << 17
_SPAN_NS = 600 * 10**9
# How far apart frames of one boot may have been placed on the wall clock and still become one, which is placed as the
# first of them was: a tenth of the shortest bucket. A sleep between them is longer.
_PLACED_ALIKE_NS = 10**8

_LARGEST = 2**63 - 1
# As sampled, and every length of buckets that is thinned to.
_LEVELS_NS = (0, 10**9, 10 * 10**9)
_COLUMNS = (
    "frame_id, spool_id, sequence, run_id, boot_id, bucket_ns, start_monotonic_ns, start_wall_ns, placement, fault, "
    "deflated, message"
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a pass may touch: frames and ends of runs up to ``until``, and that ``later_ns`` later than otherwise."""

    until: Cursor
    later_ns: int


@dataclass(frozen=True, slots=True)
class _StoredFrame:
    """A row of the table."""

    frame_id: int
    spool_id: int
    sequence: int
    run_id: str
    boot_id: bytes
    bucket_ns: int
    start_monotonic_ns: int
    start_wall_ns: int
    placement: str
    fault: str
    deflated: int
    message: bytes

    def may_take_in(self, later: "_StoredFrame") -> bool:
        """Whether a frame that came after this one can become one with it, and no sample is placed elsewhere by it."""
        elapsed_ns = later.start_monotonic_ns - self.start_monotonic_ns
        return (
            self.kind == later.kind
            and elapsed_ns >= 0
            and abs(later.start_wall_ns - self.start_wall_ns - elapsed_ns) <= _PLACED_ALIKE_NS
        )

    @property
    def kind(self) -> tuple[object, ...]:
        """What frames that become one have in common."""
        span = self.start_monotonic_ns // _SPAN_NS
        return (self.spool_id, self.run_id, self.boot_id, self.bucket_ns, self.placement, self.fault, span)


def thin_idle(connection: sqlite3.Connection, bucket_ns: int, before_wall_ns: int, reach: Reach) -> int:
    """Thin the next telemetry outside of runs that began before a time; return how many frames are so thin now.

    Args:
        connection: within a transaction that writes.
        bucket_ns: what one value shall stand for.
        before_wall_ns: what began earlier is thinned.
        reach: the frames that may be touched.
    """
    # One length of buckets at a time, so that the index leads to the oldest frame of each.
    for finer_ns in (each for each in _LEVELS_NS if each < bucket_ns):
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM frames WHERE run_id = '' AND bucket_ns = ? AND start_wall_ns < ? "  # noqa: S608
            "AND fault = '' AND frame_id <= ? AND frame_id < (SELECT max(frame_id) FROM frames) "
            "ORDER BY start_wall_ns LIMIT 1",
            (finer_ns, before_wall_ns, reach.until.frame),
        ).fetchone()
        if row:
            return _thin_from(connection, _StoredFrame(*row), bucket_ns, before_wall_ns, reach.until.frame)
    return 0


def thin_runs(connection: sqlite3.Connection, bucket_ns: int, before_wall_ns: int, reach: Reach) -> int:
    """Likewise the telemetry of runs that began before a time, have ended and are no baseline.

    It waits until their results, which are computed from it, have been had by all who get them.
    """
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM frames WHERE frame_id = (SELECT frame_id FROM runs JOIN frames AS f "  # noqa: S608
        "ON f.run_id = runs.run_id AND f.run_id <> '' AND f.bucket_ns < ? WHERE started_wall_ns < ? "
        "AND state <> 'running' AND NOT is_baseline AND fault = '' AND frame_id <= ? "
        "AND NOT EXISTS (SELECT 1 FROM run_ends WHERE run_ends.run_id = runs.run_id AND position > ?) "
        "AND frame_id < (SELECT max(frame_id) FROM frames) ORDER BY started_wall_ns, frame_id LIMIT 1)",
        (bucket_ns, before_wall_ns, *reach.until),
    ).fetchone()
    return _thin_from(connection, _StoredFrame(*row), bucket_ns, _LARGEST, reach.until.frame) if row else 0


def _thin_from(
    connection: sqlite3.Connection, first: _StoredFrame, bucket_ns: int, before_wall_ns: int, until_id: int
) -> int:
    """Thin a frame with those after it; return how many they were. One that cannot be opened stays as it is."""
    found = _neighbours(connection, first, before_wall_ns, until_id)
    messages = list(_first_messages(found))
    found = found[: len(messages)]
    if _are_as_thin([message.frame for message in messages], bucket_ns):
        _mark(connection, found, bucket_ns)
        return len(found)
    try:
        thinned = _thinned(connection, first.spool_id, messages, bucket_ns)
    except MalformedFrameError:
        found = found[:1]
        try:
            thinned = _thinned(connection, first.spool_id, messages[:1], bucket_ns)
        except MalformedFrameError:
            _mark(connection, found, bucket_ns)
            return 1
    connection.executemany("DELETE FROM frames WHERE frame_id = ?", [(each.frame_id,) for each in found[1:]])
    connection.execute(
        "UPDATE frames SET bucket_ns = ?, end_monotonic_ns = ?, deflated = ?, message = ? WHERE frame_id = ?",
        (bucket_ns, min(thinned.frame.end_monotonic_ns, _LARGEST), *pack(thinned.SerializeToString()), first.frame_id),
    )
    return len(found)


def _first_messages(found: Sequence[_StoredFrame]) -> Iterator[AgentMessage]:
    """The messages of the first frames, so many that they are opened quickly; the first of all in any case."""
    values = 0
    for each in found:
        message = unpack(each.deflated, each.message)
        # A block's last values take a byte a channel at least.
        values += sum(block.tick_count * len(block.last_values) for block in message.frame.blocks)
        if values > _VALUES_AT_ONCE and each is not found[0]:
            return
        yield message


def _are_as_thin(frames: Sequence[Frame], bucket_ns: int) -> bool:
    """Whether neighbours have as few ticks as buckets: such as what an idle device samples each second, for a second.

    To open them and put them together again would cost the most, and save nothing.
    """
    spans_ns = sum(frame.end_monotonic_ns - frame.start_monotonic_ns for frame in frames)
    ticks = Counter[int]()
    for frame in frames:
        for block in frame.blocks:
            ticks[block.layout] += block.tick_count
    return max(ticks.values(), default=0) <= spans_ns // bucket_ns + 1


def _mark(connection: sqlite3.Connection, frames: Sequence[_StoredFrame], bucket_ns: int) -> None:
    ids = [(bucket_ns, each.frame_id) for each in frames]
    connection.executemany("UPDATE frames SET bucket_ns = ? WHERE frame_id = ?", ids)


def _neighbours(
    connection: sqlite3.Connection, first: _StoredFrame, before_wall_ns: int, until_id: int
) -> Sequence[_StoredFrame]:
    """The frame and those right after it, up to where messages were lost: which run lost them is told by sequence."""
    (gap,) = connection.execute(
        "SELECT coalesce(min(first_sequence), ?) FROM gaps WHERE spool_id = ? AND last_sequence > ?",
        (_LARGEST, first.spool_id, first.sequence),
    ).fetchone()
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM frames WHERE spool_id = ? AND sequence > ? AND sequence < ? AND start_wall_ns < ? "  # noqa: S608
        "AND frame_id <= ? AND frame_id < (SELECT max(frame_id) FROM frames) ORDER BY sequence LIMIT ?",
        (first.spool_id, first.sequence, gap, before_wall_ns, until_id, _FRAMES_AT_ONCE - 1),
    )
    found, total = [first], len(first.message)
    for row in rows:
        frame = _StoredFrame(*row)
        total += len(frame.message)
        if not first.may_take_in(frame) or total > _BYTES_AT_ONCE:
            break
        found.append(frame)
    return found


def _thinned(
    connection: sqlite3.Connection, spool_id: int, messages: Sequence[AgentMessage], bucket_ns: int
) -> AgentMessage:
    """The messages' frames as one, in the place of the first.

    Raises:
        MalformedFrameError: a block cannot be read.
    """
    frames = [message.frame for message in messages]
    start_ns = frames[0].start_monotonic_ns
    result = Frame(
        boot_id=frames[0].boot_id,
        run_id=frames[0].run_id,
        start_monotonic_ns=start_ns,
        end_monotonic_ns=max(frame.end_monotonic_ns for frame in frames),
        slept_ns=max(frame.slept_ns for frame in frames),
    )
    for number in dict.fromkeys(block.layout for frame in frames for block in frame.blocks):
        layout = _layout(connection, spool_id, number)
        blocks = [
            decode_thinned(block, layout, frame.start_monotonic_ns)
            for frame in frames
            for block in frame.blocks
            if block.layout == number
        ]
        result.blocks.append(encode_thinned(thin(join(blocks), bucket_ns), number, start_ns))
    return AgentMessage(sequence=messages[0].sequence, frame=result)


def _layout(connection: sqlite3.Connection, spool_id: int, number: int) -> Layout:
    """What a spool means by a number. It is stored: a frame whose layouts are not has a fault."""
    (channels,) = connection.execute(
        "SELECT channels FROM spool_layouts JOIN layouts USING (layout_id) WHERE spool_id = ? AND number = ?",
        (spool_id, number),
    ).fetchone()
    return Layout.FromString(channels)
