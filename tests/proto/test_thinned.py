"""What thinning keeps, for any telemetry."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgeprof.telemetry import Channel, SampledBlock, channel_to_message
from edgeprof.thinned import Steps, ThinnedBlock, decode_thinned, encode_thinned, join, thin
from edgeprof.v1.telemetry_pb2 import Layout

MS, SECOND = 10**6, 10**9
GAUGE = Channel("edgeprof_memory_available_bytes", (), "test", 65536)
COUNTER = Channel("edgeprof_network_received_bytes_total", (("interface", "eth0"),), "test", 1)
LAYOUT = Layout(layout=3, channels=[channel_to_message(channel) for channel in (GAUGE, COUNTER)])

VALUES = st.one_of(st.none(), st.integers(0, 1000))
TICKS = st.lists(st.tuples(st.integers(1, 2500), VALUES, VALUES), min_size=1, max_size=60)


def block_of(ticks: Sequence[tuple[int, int | None, int | None]], start_ns: int = 7 * SECOND) -> ThinnedBlock:
    """A gauge and a counter, at ticks that are so many milliseconds apart."""
    times, now_ns = [], start_ns
    for gap_ms, _, _ in ticks:
        now_ns += gap_ms * MS
        times.append(now_ns)
    columns = tuple(tuple(tick[part] for tick in ticks) for part in (1, 2))
    none = tuple(tuple(None if steps is None else 0 for steps in column) for column in columns)
    sampled = SampledBlock(channels=(GAUGE, COUNTER), times_monotonic_ns=tuple(times), columns=columns)
    return ThinnedBlock(sampled=sampled, below=none, above=none)


def samples(block: ThinnedBlock, channel: int) -> list[tuple[int, int]]:
    pairs = zip(block.sampled.times_monotonic_ns, block.sampled.columns[channel], strict=True)
    return [(time_ns, steps) for time_ns, steps in pairs if steps is not None]


def increase(values: Sequence[tuple[int, int]]) -> int:
    """Growth over all resets."""
    steps = [value for _, value in values]
    return sum(max(after - before, 0) for before, after in pairwise(steps))


def extremes(block: ThinnedBlock, start_ns: int, end_ns: int) -> tuple[int, int] | None:
    """Lowest and highest of what the gauge's values in a stretch stand for."""
    columns: tuple[Steps, Steps, Steps] = (block.sampled.columns[0], block.below[0], block.above[0])
    rows = zip(block.sampled.times_monotonic_ns, *columns, strict=True)
    inside = [
        (value - (below or 0), value + (above or 0))
        for time_ns, value, below, above in rows
        if value is not None and start_ns <= time_ns < end_ns
    ]
    return (min(low for low, _ in inside), max(high for _, high in inside)) if inside else None


@given(TICKS)
def test_counters_are_conserved_between_any_two_values_that_are_kept(
    ticks: Sequence[tuple[int, int | None, int | None]],
) -> None:
    whole = block_of(ticks)
    once = thin(whole, SECOND)
    for thinned, bucket_ns in ((once, SECOND), (thin(once, 10 * SECOND), 10 * SECOND)):
        before, kept = samples(whole, 1), samples(thinned, 1)
        assert set(kept) <= set(before), "every value is one that was read, at its own time"
        lasts = {time_ns // bucket_ns: (time_ns, value) for time_ns, value in before}
        assert set(lasts.values()) <= set(kept)
        for index, (start_ns, _) in enumerate(kept):
            assert increase(kept[index:]) == increase([each for each in before if each[0] >= start_ns])


@given(TICKS)
def test_gauges_keep_the_extremes_of_every_bucket(ticks: Sequence[tuple[int, int | None, int | None]]) -> None:
    whole = block_of(ticks)
    once = thin(whole, SECOND)
    for thinned, bucket_ns in ((once, SECOND), (thin(once, 10 * SECOND), 10 * SECOND)):
        for bucket in {time_ns // bucket_ns for time_ns in whole.sampled.times_monotonic_ns}:
            span = bucket * bucket_ns, (bucket + 1) * bucket_ns
            assert extremes(thinned, *span) == extremes(whole, *span)
            values = [value for time_ns, value in samples(whole, 0) if span[0] <= time_ns < span[1]]
            kept = [value for time_ns, value in samples(thinned, 0) if span[0] <= time_ns < span[1]]
            if bucket_ns == SECOND and values and len(kept) == 1:
                assert kept[0] == round(sum(values) / len(values))


@given(TICKS, TICKS)
def test_blocks_come_back_as_they_were_packed(
    first: Sequence[tuple[int, int | None, int | None]], second: Sequence[tuple[int, int | None, int | None]]
) -> None:
    both = join([block_of(second, 1000 * SECOND), block_of(first)])
    assert list(both.sampled.times_monotonic_ns) == sorted(both.sampled.times_monotonic_ns)
    thinned = thin(both, SECOND)
    assert decode_thinned(encode_thinned(thinned, 3, 0), LAYOUT, 0) == thinned


def test_what_is_no_denser_than_a_bucket_stays_as_it_is() -> None:
    whole = block_of([(1000, 1, 1), (1000, 2, 2), (1000, 3, 3)])
    assert thin(whole, SECOND) is whole
