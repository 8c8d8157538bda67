"""Blocks of telemetry that were thinned to save space: one value for each stretch of time, called a bucket.

A gauge keeps the mean of each bucket, and how far its lowest and highest values lay from it. A counter keeps values as
they were read: the last one of each bucket, the first one of the block, and those on both sides of a reset. So its
increase between any two values that are kept is that of what was sampled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

from edgeprof.catalogue import METRICS
from edgeprof.metric import Kind
from edgeprof.telemetry import (
    Channel,
    MalformedFrameError,
    SampledBlock,
    decode_steps,
    encode_block,
    pack_integers,
    unpack_integers,
)
from edgeprof.v1.telemetry_pb2 import Block, Layout

Steps = tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinnedBlock:
    """A block whose values stand for buckets of ``bucket_ns``, or for themselves where that is 0.

    ``below`` and ``above`` are, like the values, columns of whole steps: how far the lowest and the highest of the
    samples lay from each value.
    """

    sampled: SampledBlock
    below: tuple[Steps, ...]
    above: tuple[Steps, ...]
    bucket_ns: int = 0


def is_counter(channel: Channel) -> bool:
    """Whether a channel is a running total. What the catalogue does not know yet is told by its name."""
    metric = METRICS.get(channel.metric)
    return channel.metric.endswith("_total") if metric is None else metric.kind is Kind.COUNTER


def decode_thinned(block: Block, layout: Layout, start_monotonic_ns: int) -> ThinnedBlock:
    """Unpack a block, thinned or not.

    Raises:
        MalformedFrameError: counts and contents disagree.
    """
    sampled = decode_steps(block, layout, start_monotonic_ns)
    below, above = (_unpack_like(sampled.columns, packed) for packed in (block.below, block.above))
    return ThinnedBlock(sampled=sampled, below=below, above=above, bucket_ns=block.bucket_ns)


def encode_thinned(block: ThinnedBlock, layout: int, start_monotonic_ns: int) -> Block:
    """Pack a block. ``layout`` is the number under which its channels are described.

    Raises:
        MalformedFrameError: a number is too large for its field.
    """
    sampled = block.sampled
    try:
        message = encode_block(layout, start_monotonic_ns, sampled.times_monotonic_ns, sampled.columns)
        if block.bucket_ns:
            message.bucket_ns = block.bucket_ns
            message.below, message.above = _pack_present(block.below), _pack_present(block.above)
    except ValueError as error:  # protobuf's, of an integer beyond 64 bits
        raise MalformedFrameError("a number does not fit in 64 bits") from error
    return message


def join(blocks: Sequence[ThinnedBlock]) -> ThinnedBlock:
    """Blocks of one layout as one, in the order of time."""
    times = [time_ns for block in blocks for time_ns in block.sampled.times_monotonic_ns]
    order = sorted(range(len(times)), key=times.__getitem__)

    def joined(parts: Sequence[Sequence[Steps]]) -> tuple[Steps, ...]:
        columns = (list(chain.from_iterable(pieces)) for pieces in zip(*parts, strict=True))
        return tuple(tuple(column[index] for index in order) for column in columns)

    return ThinnedBlock(
        sampled=SampledBlock(
            channels=blocks[0].sampled.channels,
            times_monotonic_ns=tuple(times[index] for index in order),
            columns=joined([block.sampled.columns for block in blocks]),
        ),
        below=joined([block.below for block in blocks]),
        above=joined([block.above for block in blocks]),
        bucket_ns=max(block.bucket_ns for block in blocks),
    )


def thin(block: ThinnedBlock, bucket_ns: int) -> ThinnedBlock:
    """The block with one value per gauge and bucket; as it is if no bucket has two ticks.

    The mean of what was thinned before is the mean of its means.
    """
    sampled = block.sampled
    ticks = range(len(sampled.times_monotonic_ns))
    buckets = [list(same) for _, same in groupby(ticks, lambda tick: sampled.times_monotonic_ns[tick] // bucket_ns)]
    if len(buckets) == len(ticks):
        return block
    counters = [is_counter(channel) for channel in sampled.channels]
    kept = {bucket[-1] for bucket in buckets}
    for column, counts in zip(sampled.columns, counters, strict=True):
        if counts:
            kept.update(_kept_of_counter(column, buckets))
    columns = zip(sampled.columns, block.below, block.above, counters, strict=True)
    thinned = [
        (column, below, above) if counts else _gauge_buckets(column, below, above, buckets)
        for column, below, above, counts in columns
    ]
    order = sorted(kept)
    values, lows, highs = (tuple(tuple(each[part][tick] for tick in order) for each in thinned) for part in range(3))
    return ThinnedBlock(
        sampled=replace(
            sampled, times_monotonic_ns=tuple(sampled.times_monotonic_ns[tick] for tick in order), columns=values
        ),
        below=lows,
        above=highs,
        bucket_ns=bucket_ns,
    )


def _kept_of_counter(column: Steps, buckets: Sequence[Sequence[int]]) -> Iterator[int]:
    """The ticks of a counter's first value, of the last one in each bucket, and of those around a reset."""
    before: int | None = None
    for bucket in buckets:
        present = [tick for tick in bucket if column[tick] is not None]
        for tick in present:
            value = column[tick]
            if before is None:
                yield tick
            elif value is not None and value < (column[before] or 0):
                yield from (before, tick)
            before = tick
        yield from present[-1:]


def _gauge_buckets(
    column: Steps, below: Steps, above: Steps, buckets: Sequence[Sequence[int]]
) -> tuple[list[int | None], list[int | None], list[int | None]]:
    """Mean, and the distances to lowest and highest, at the last tick of each bucket; nothing at all others."""
    means: list[int | None] = [None] * len(column)
    lows, highs = list(means), list(means)
    for bucket in buckets:
        present = [
            (value, value - (below[tick] or 0), value + (above[tick] or 0))
            for tick in bucket
            if (value := column[tick]) is not None
        ]
        if present:
            last = bucket[-1]
            mean = round(sum(value for value, _, _ in present) / len(present))
            means[last] = mean
            lows[last] = mean - min(low for _, low, _ in present)
            highs[last] = max(high for _, _, high in present) - mean
    return means, lows, highs


def _pack_present(columns: Sequence[Steps]) -> bytes:
    return pack_integers([steps for column in columns for steps in column if steps is not None])


def _unpack_like(columns: Sequence[Steps], packed: bytes) -> tuple[Steps, ...]:
    """One number for each value that is present; 0 for all if there is nothing to unpack."""
    count = sum(steps is not None for column in columns for steps in column)
    numbers = iter(unpack_integers(packed, count) if packed else [0] * count)
    return tuple(tuple(None if steps is None else next(numbers) for steps in column) for column in columns)
