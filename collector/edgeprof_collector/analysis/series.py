"""From the frames of a run to one series per channel.

``edgeprof.telemetry.decode_block`` is the reference for one block. Here many blocks of a layout are opened at once:
serialised lists of integers that are joined parse as the joined list, so an hour of telemetry takes a few large parses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from edgeprof.telemetry import Channel, MalformedFrameError, channel_from_message, check_block, check_layout
from edgeprof.v1.telemetry_pb2 import Block, Integers, Layout, RunTelemetry

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

# Bounds the memory that opening takes, beside the values themselves.
_VALUES_AT_ONCE = 1_000_000
_LARGEST_VALUE = 1e30
_SHORT_NUMBERS = 2**16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thinned:
    """What is known of the samples that the values of a thinned series stand for; a whole one has none.

    Each value stands for samples from ``starts_monotonic_ns`` to its own time, between ``lowest`` and ``highest``.
    ``bucket_ns`` is the longest stretch that one stands for.
    """

    starts_monotonic_ns: Int64s
    lowest: Floats
    highest: Floats
    bucket_ns: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """The values of one channel in a run, in ascending time and in the unit of the channel's metric.

    ``malformed_blocks`` counts the blocks that could not be read and might have held values of this channel.
    """

    channel: Channel
    times_monotonic_ns: Int64s
    values: Floats
    malformed_blocks: int = 0
    thinned: Thinned | None = None


_Stretch = tuple[Int64s, Floats, Thinned | None]


@dataclass(frozen=True, slots=True)
class _TimedBlock:
    """A block, and the time that its ticks are counted from."""

    block: Block
    start_monotonic_ns: int


@dataclass(slots=True)
class _Parts:
    """The stretches of one channel that were read so far."""

    malformed_blocks: int
    times: list[Int64s] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    thinned: list[Thinned | None] = field(default_factory=list)


def collect_series(telemetry: RunTelemetry) -> tuple[Series, ...]:
    """Open every frame of a run. A block that cannot be read is counted in its channels' ``malformed_blocks``."""
    layouts = {layout.layout: layout for layout in telemetry.layouts}
    blocks: dict[int, list[_TimedBlock]] = {number: [] for number in layouts}
    unknown_count = 0
    for frame in telemetry.frames:
        for block in frame.blocks:
            if block.layout in blocks:
                blocks[block.layout].append(_TimedBlock(block, frame.start_monotonic_ns))
            else:
                unknown_count += 1
    parts: dict[Channel, _Parts] = {}
    for number, layout in layouts.items():
        if not layout.channels:  # it says nothing, of whatever length its blocks are
            continue
        channels = [channel_from_message(message) for message in layout.channels]
        found = [parts.setdefault(channel, _Parts(unknown_count)) for channel in channels]
        for portion in _portions(blocks[number], len(channels)):
            _collect_blocks(layout, found, portion)
    return _join(parts)


def _portions(blocks: Sequence[_TimedBlock], channel_count: int) -> Iterator[Sequence[_TimedBlock]]:
    """Cut ``blocks`` where their values add up to as many as are opened at once."""
    first, values = 0, 0
    for index, timed in enumerate(blocks):
        values += timed.block.tick_count * channel_count
        if values >= _VALUES_AT_ONCE:
            yield blocks[first : index + 1]
            first, values = index + 1, 0
    if first < len(blocks):
        yield blocks[first:]


def _collect_blocks(layout: Layout, parts: Sequence[_Parts], blocks: Sequence[_TimedBlock]) -> None:
    """Read ``blocks`` together; if that fails, halve them until the malformed ones stand alone."""
    try:
        columns = _read_blocks(layout, blocks)
    except (MalformedFrameError, OverflowError):
        if len(blocks) == 1:
            for part in parts:
                part.malformed_blocks += 1
            return
        middle = len(blocks) // 2
        _collect_blocks(layout, parts, blocks[:middle])
        _collect_blocks(layout, parts, blocks[middle:])
        return
    for part, (times, values, thinned) in zip(parts, columns, strict=True):
        part.times.append(times)
        part.values.append(values)
        part.thinned.append(thinned)


def _read_blocks(layout: Layout, blocks: Sequence[_TimedBlock]) -> list[_Stretch]:
    """Times and values of every channel of ``layout``, in its order.

    Raises:
        MalformedFrameError: counts and contents disagree somewhere in ``blocks``.
        OverflowError: a time does not fit in 64 bits.
    """
    check_layout(layout)
    for timed in blocks:
        check_block(timed.block, layout)
    channel_count = len(layout.channels)
    ticks = np.array([timed.block.tick_count for timed in blocks], np.int64)
    times = _read_times(blocks, ticks)
    absent = _read_absent(blocks, channel_count)
    present_counts = np.repeat(ticks, channel_count).reshape(-1, channel_count)
    if absent is not None:
        block_starts = (np.cumsum(ticks) - ticks)[ticks > 0]
        present_counts[ticks > 0] -= np.add.reduceat(absent, block_starts, axis=1, dtype=np.int64).T
    steps = _read_steps(blocks, present_counts)
    # From block by block to channel by channel: a stable sort by channel keeps the order of time.
    # Of 16 bits, for which numpy counts instead of comparing.
    channel_numbers = np.arange(channel_count, dtype=np.uint16 if channel_count <= _SHORT_NUMBERS else np.int64)
    channel_of_value = np.repeat(np.tile(channel_numbers, len(blocks)), present_counts.ravel())
    order = np.argsort(channel_of_value, kind="stable")
    ends = np.cumsum(present_counts.sum(axis=0))[:-1]
    present_times = [times if absent is None else times[~absent[index]] for index in range(channel_count)]
    values = _by_channel(layout, np.split(steps[order], ends))
    if not any(timed.block.bucket_ns for timed in blocks):
        return [(when, what, None) for when, what in zip(present_times, values, strict=True)]
    value_counts = present_counts.sum(axis=1)
    below, above = (
        _by_channel(layout, np.split(_read_distances(packed, value_counts)[order], ends))
        for packed in ([timed.block.below for timed in blocks], [timed.block.above for timed in blocks])
    )
    starts, bucket_ns = _bucket_starts(blocks, ticks, times)
    return [
        (
            present_times[index],
            values[index],
            Thinned(
                starts_monotonic_ns=starts if absent is None else starts[~absent[index]],
                lowest=values[index] - below[index],
                highest=values[index] + above[index],
                bucket_ns=bucket_ns,
            ),
        )
        for index in range(channel_count)
    ]


def _by_channel(layout: Layout, columns: Sequence[Int64s]) -> list[Floats]:
    pairs = zip(layout.channels, columns, strict=True)
    return [_dequantise(column, channel.resolution) for channel, column in pairs]


def _read_distances(packed: Sequence[bytes], value_counts: Int64s) -> Int64s:
    """How far lowest or highest lay from each value; 0 in blocks that say nothing of it."""
    zeros = [np.zeros(count, np.int64) for count in value_counts.tolist()]
    return np.concatenate(
        [_unpack([part], none.size) if part else none for part, none in zip(packed, zeros, strict=True)]
    )


def _bucket_starts(blocks: Sequence[_TimedBlock], ticks: Int64s, times: Int64s) -> tuple[Int64s, int]:
    """Since when each tick's values stand: its bucket's start, but not before its frame's. And the longest bucket."""
    buckets = np.repeat(np.array([max(timed.block.bucket_ns, 1) for timed in blocks], np.int64), ticks)
    frame_starts = np.repeat(np.array([timed.start_monotonic_ns for timed in blocks], np.int64), ticks)
    starts = np.minimum(np.maximum(times // buckets * buckets, frame_starts), times)
    return starts, max(timed.block.bucket_ns for timed in blocks)


def _read_times(blocks: Sequence[_TimedBlock], ticks: Int64s) -> Int64s:
    """The time of every tick: the blocks store the differences of the intervals between ticks."""
    changes_us = _unpack([timed.block.times for timed in blocks], int(ticks.sum()))
    intervals_us = _sums_within(changes_us, ticks)
    starts = np.array([timed.start_monotonic_ns for timed in blocks], np.int64)
    return np.repeat(starts, ticks) + _sums_within(intervals_us, ticks) * 1000


def _read_absent(blocks: Sequence[_TimedBlock], channel_count: int) -> NDArray[np.bool_] | None:
    """Per channel and tick, whether the value is absent; ``None`` when nothing is."""
    if not any(timed.block.absent for timed in blocks):
        return None
    rows = [
        _unpack_bits(timed.block.absent, channel_count * timed.block.tick_count).reshape(channel_count, -1)
        if timed.block.tick_count
        else np.zeros((channel_count, 0), np.bool_)
        for timed in blocks
    ]
    return np.concatenate(rows, axis=1)


def _read_steps(blocks: Sequence[_TimedBlock], present_counts: Int64s) -> Int64s:
    """All values in whole steps, block by block and in each channel by channel.

    Each stretch of ``present_counts`` values ends at the block's last value of its channel, and has as many stored
    differences less one, or none where it is constant.
    """
    channel_count = present_counts.shape[1]
    lasts = _unpack([timed.block.last_values for timed in blocks], present_counts.size)
    constant = np.concatenate([_unpack_bits(timed.block.constant_channels, channel_count) for timed in blocks])
    counts = present_counts.ravel()
    filled = counts > 0
    stored = ~np.repeat(constant, counts)
    stored[(np.cumsum(counts) - counts)[filled]] = False
    differences = np.zeros(int(counts.sum()), np.int64)
    differences[stored] = _unpack([timed.block.differences for timed in blocks], int(stored.sum()))
    sums = np.cumsum(differences)
    to_last = lasts[filled] - sums[np.cumsum(counts)[filled] - 1]
    return sums + np.repeat(to_last, counts[filled])


def _sums_within(values: Int64s, counts: Int64s) -> Int64s:
    """Running sums that begin anew with every stretch of ``counts`` values."""
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    within: Int64s = sums[1:] - np.repeat(sums[np.cumsum(counts) - counts], counts)
    return within


def _unpack(packed: Sequence[bytes], count: int) -> Int64s:
    """The integers of several serialised ``Integers``, one after another."""
    try:
        values = Integers.FromString(b"".join(packed)).values
    except DecodeError as error:
        raise MalformedFrameError("no list of integers") from error
    if len(values) != count:
        raise MalformedFrameError(f"{len(values)} values where {count} were promised")
    return np.array(values, np.int64)


def _unpack_bits(packed: bytes, count: int) -> NDArray[np.bool_]:
    """``count`` bits; empty bytes mean that none is set. ``check_block`` has checked the length."""
    if not packed:
        return np.zeros(count, np.bool_)
    return np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")[:count].astype(np.bool_)


def _dequantise(steps: Int64s, resolution: float) -> Floats:
    """Values of so many steps, exactly as ``edgeprof.telemetry.dequantise`` gives them.

    Raises:
        MalformedFrameError: a value is so large that nothing can be reckoned with it.
    """
    values = steps.astype(np.float64)
    values = values * resolution if resolution >= 1 else values / round(1 / resolution)
    if np.any(np.abs(values) > _LARGEST_VALUE):
        raise MalformedFrameError("a value is larger than any quantity of a device")
    return values


def _join(parts: dict[Channel, _Parts]) -> tuple[Series, ...]:
    """Join each channel's stretches. Channels that were always sampled together share one time axis in memory."""
    axes: dict[tuple[int, ...], Int64s] = {}
    series = []
    for channel in sorted(parts, key=lambda each: (each.metric, each.labels, each.source)):
        part = parts[channel]
        stretches = tuple(id(each) for each in part.times)
        if stretches not in axes:
            axes[stretches] = np.concatenate([np.zeros(0, np.int64), *part.times])
        times, values = axes[stretches], np.concatenate([np.zeros(0), *part.values])
        thinned = _join_thinned(part)
        part.values.clear()
        if np.any(np.diff(times) < 0):
            order = np.argsort(times, kind="stable")
            times, values = times[order], values[order]
            thinned = thinned and Thinned(
                starts_monotonic_ns=thinned.starts_monotonic_ns[order],
                lowest=thinned.lowest[order],
                highest=thinned.highest[order],
                bucket_ns=thinned.bucket_ns,
            )
        series.append(
            Series(
                channel=channel,
                times_monotonic_ns=times,
                values=values,
                malformed_blocks=part.malformed_blocks,
                thinned=thinned,
            )
        )
    return tuple(series)


def _join_thinned(part: _Parts) -> Thinned | None:
    """What the stretches of a channel stand for; ``None`` if all are whole. In a whole one each value is its own."""
    if not any(part.thinned):
        return None
    stretches = list(zip(part.times, part.values, part.thinned, strict=True))
    return Thinned(
        starts_monotonic_ns=np.concatenate(
            [each.starts_monotonic_ns if each else times for times, _, each in stretches]
        ),
        lowest=np.concatenate([each.lowest if each else values for _, values, each in stretches]),
        highest=np.concatenate([each.highest if each else values for _, values, each in stretches]),
        bucket_ns=max(each.bucket_ns for each in part.thinned if each),
    )
