"""Readings, and the frames of columns in which they travel."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate, islice, repeat
from math import isclose, isfinite
from operator import sub
from typing import NamedTuple

from edgeprof.v1.telemetry_pb2 import Block, Frame, Integers, Layout
from edgeprof.v1.telemetry_pb2 import Channel as ChannelMessage

Labels = tuple[tuple[str, str], ...]


class Channel(NamedTuple):
    """One series of one sensor. A tuple: it is the key of many look-ups a second, which hash it each time.

    ``metric`` is a name in the catalogue, ``labels`` are sorted by name, ``source`` is the path or call that
    the value comes from, ``resolution`` the catalogue's step of quantisation in the metric's unit.
    """

    metric: str
    labels: Labels
    source: str
    resolution: float


class Reading(NamedTuple):
    """One value of one channel, in the metric's base unit. A tuple: dozens are made ten times a second."""

    channel: Channel
    value: float


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one channel on a block's time axis; ``None`` where the channel had none."""

    channel: Channel
    times_monotonic_ns: tuple[int, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledBlock:
    """Ticks of one cadence before they are packed.

    ``columns`` hold, per channel, one value per tick in whole steps of the channel's resolution, ``None`` where
    the channel gave none.
    """

    channels: tuple[Channel, ...]
    times_monotonic_ns: tuple[int, ...]
    columns: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledFrame:
    """A stretch of sampling, one block per cadence and set of channels. ``run_id`` is empty when idle."""

    run_id: str
    start_monotonic_ns: int
    end_monotonic_ns: int
    blocks: tuple[SampledBlock, ...]


class GapCause(str, Enum):
    """Why messages were lost."""

    SPOOL_FULL = "spool_full"
    SPOOL_AGE = "spool_age"
    SPOOL_CORRUPT = "spool_corrupt"
    DISK_FULL = "disk_full"
    NEVER_SENT = "never_sent"


class Placement(str, Enum):
    """How a stretch of monotonic time was placed on the wall clock, the surest first.

    ``EXACT``: by the least delayed message of its boot. ``ESTIMATED``: by the device's own wall clock, or by what was
    known before the whole device was paused. ``BY_ARRIVAL``: it ended no later than it came. ``UNKNOWN``: an earlier
    version stored it and did not say.
    """

    EXACT = "exact"
    ESTIMATED = "estimated"
    BY_ARRIVAL = "by_arrival"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Messages ``first_sequence`` to ``last_sequence``, both included, that will never arrive, and why."""

    first_sequence: int
    last_sequence: int
    cause: GapCause


class MalformedFrameError(ValueError):
    """A block whose bytes do not say what its header promises."""


def encode_frame(
    frame: SampledFrame, boot_id: bytes, number_layout: Callable[[tuple[Channel, ...]], int], *, slept_ns: int = 0
) -> Frame:
    """Pack a frame.

    Args:
        frame: what was sampled.
        boot_id: of the kernel.
        number_layout: gives the number under which a set of channels is described.
        slept_ns: how long the boot had slept by the frame's end.
    """
    return Frame(
        boot_id=boot_id,
        slept_ns=slept_ns,
        run_id=frame.run_id,
        start_monotonic_ns=frame.start_monotonic_ns,
        end_monotonic_ns=frame.end_monotonic_ns,
        blocks=[
            encode_block(
                number_layout(block.channels), frame.start_monotonic_ns, block.times_monotonic_ns, block.columns
            )
            for block in frame.blocks
        ],
    )


def encode_block(
    layout: int,
    start_monotonic_ns: int,
    times_monotonic_ns: Sequence[int],
    columns: Sequence[Sequence[int | None]],
) -> Block:
    """Pack the samples that were taken together.

    Args:
        layout: the number under which the columns' channels are described.
        start_monotonic_ns: the start of the frame.
        times_monotonic_ns: when each tick was, in ascending order.
        columns: per channel one quantised value per tick (value / resolution, rounded), ``None`` where absent.
    """
    times_us = [(time_ns - start_monotonic_ns) // 1000 for time_ns in times_monotonic_ns]
    present = [[value for value in column if value is not None] for column in columns]
    changes = [_differences(values[0], values[1:]) if values else [] for values in present]
    constant = [len(steps) > 0 and not any(steps) for steps in changes]
    has_gaps = any(None in column for column in columns)
    return Block(
        layout=layout,
        tick_count=len(times_monotonic_ns),
        times=pack_integers(_differences(0, _differences(0, times_us))),
        last_values=pack_integers([values[-1] if values else 0 for values in present]),
        empty_channels=_pack_bits([not values for values in present]),
        constant_channels=_pack_bits(constant),
        differences=pack_integers(
            [step for index, steps in enumerate(changes) if not constant[index] for step in steps]
        ),
        absent=_pack_bits([value is None for column in columns for value in column]) if has_gaps else b"",
    )


def decode_block(block: Block, layout: Layout, start_monotonic_ns: int) -> Iterator[Column]:
    """Unpack a block.

    Raises:
        MalformedFrameError: counts and contents disagree.
    """
    sampled = decode_steps(block, layout, start_monotonic_ns)
    for channel, column in zip(sampled.channels, sampled.columns, strict=True):
        values = (None if steps is None else dequantise(steps, channel.resolution) for steps in column)
        yield Column(channel, sampled.times_monotonic_ns, tuple(values))


def decode_steps(block: Block, layout: Layout, start_monotonic_ns: int) -> SampledBlock:
    """Unpack a block into whole steps of its channels' resolutions.

    Raises:
        MalformedFrameError: counts and contents disagree.
    """
    check_layout(layout)
    ticks, count = block.tick_count, len(layout.channels)
    times_us = accumulate(accumulate(unpack_integers(block.times, ticks)))
    times_ns = tuple(start_monotonic_ns + time_us * 1000 for time_us in times_us)
    lasts = unpack_integers(block.last_values, count)
    constant = _unpack_bits(block.constant_channels, count)
    absent = _unpack_bits(block.absent, count * ticks)
    missing = [absent[index * ticks : (index + 1) * ticks] for index in range(count)]
    change_counts = [max(ticks - sum(gaps) - 1, 0) for gaps in missing]
    stored = sum(changes for changes, is_constant in zip(change_counts, constant, strict=True) if not is_constant)
    differences = iter(unpack_integers(block.differences, stored))
    columns = []
    for index in range(count):
        source = repeat(0) if constant[index] else differences
        changes = tuple(islice(source, change_counts[index]))
        columns.append(_steps(changes, lasts[index], missing[index]))
    channels = tuple(channel_from_message(description) for description in layout.channels)
    return SampledBlock(channels=channels, times_monotonic_ns=times_ns, columns=tuple(columns))


def last_steps(block: Block, channel_count: int) -> list[int | None]:
    """Return each channel's last value in the block in steps of its resolution, without opening its differences.

    Raises:
        MalformedFrameError: counts and contents disagree.
    """
    values = unpack_integers(block.last_values, channel_count)
    empty = _unpack_bits(block.empty_channels, channel_count)
    return [None if is_empty else value for value, is_empty in zip(values, empty, strict=True)]


def check_layout(layout: Layout) -> None:
    """Check that the values of every channel can be read.

    Raises:
        MalformedFrameError: a resolution is neither 1 or more nor 1 over a whole number.
    """
    for channel in layout.channels:
        resolution = channel.resolution
        fits = isfinite(resolution) and (
            resolution >= 1 or (resolution > 1e-300 and isclose(resolution, 1 / round(1 / resolution)))
        )
        if not fits:
            raise MalformedFrameError(f"{channel.metric} has the resolution {resolution}")


def check_block(block: Block, layout: Layout) -> None:
    """Check the header, counts and lengths of a block without opening it.

    Raises:
        MalformedFrameError: they cannot be right.
    """
    channels = len(layout.channels)
    if block.absent and len(block.absent) != (channels * block.tick_count + 7) // 8:
        raise MalformedFrameError("the bits of absent values have the wrong length")
    if any(bits and len(bits) != (channels + 7) // 8 for bits in (block.empty_channels, block.constant_channels)):
        raise MalformedFrameError("the bits of channels have the wrong length")
    if block.tick_count and len(block.times) < block.tick_count:
        raise MalformedFrameError("the time axis is too short")


def quantise(value: float, resolution: float) -> int:
    """Return ``value`` in whole steps of ``resolution``."""
    return round(value / resolution)


def dequantise(steps: int, resolution: float) -> float:
    """Return the value of so many steps. Decimal resolutions give decimal values: 253 x 0.1 is 25.3."""
    if resolution >= 1:
        return steps * resolution
    return steps / round(1 / resolution)


def pack_integers(values: Sequence[int]) -> bytes:
    """Pack the integers of a block's field."""
    return Integers(values=values).SerializeToString()


def unpack_integers(packed: bytes, count: int) -> Sequence[int]:
    """Unpack ``count`` integers of a block's field.

    Raises:
        MalformedFrameError: it holds another number of them, or something else.
    """
    try:
        values = Integers.FromString(packed).values
    except Exception as error:  # protobuf raises DecodeError, of a private module under upb
        raise MalformedFrameError("a column is no list of integers") from error
    if len(values) != count:
        raise MalformedFrameError(f"{len(values)} values where {count} were promised")
    return values


def channel_to_message(channel: Channel) -> ChannelMessage:
    """Describe a channel on the wire."""
    return ChannelMessage(
        metric=channel.metric,
        labels=dict(channel.labels),
        source=channel.source,
        resolution=channel.resolution,
    )


def channel_from_message(message: ChannelMessage) -> Channel:
    """Read a channel's description."""
    return Channel(message.metric, tuple(sorted(message.labels.items())), message.source, message.resolution)


def _steps(changes: Sequence[int], last: int, missing: Sequence[bool]) -> tuple[int | None, ...]:
    """The values of a channel, from the last one back."""
    steps = accumulate(changes, initial=last - sum(changes))
    return tuple(None if is_missing else next(steps) for is_missing in missing)


def _differences(first: int, values: Sequence[int]) -> list[int]:
    return list(map(sub, values, (first, *values)))


def _pack_bits(bits: Sequence[bool]) -> bytes:
    if not any(bits):
        return b""
    number = sum(1 << index for index, bit in enumerate(bits) if bit)
    return number.to_bytes((len(bits) + 7) // 8, "little")


def _unpack_bits(packed: bytes, count: int) -> list[bool]:
    if not packed:
        return [False] * count
    if len(packed) != (count + 7) // 8:
        raise MalformedFrameError("bits of the wrong length")
    number = int.from_bytes(packed, "little")
    return [bool(number >> index & 1) for index in range(count)]
