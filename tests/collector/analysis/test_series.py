from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeprof.telemetry import Channel, channel_to_message, decode_block, encode_block
from edgeprof.v1.telemetry_pb2 import Frame, Layout, RunTelemetry
from edgeprof_collector.analysis.series import Series, collect_series

CHANNELS = (
    Channel("edgeprof_temperature_celsius", (("chip", "k10temp"), ("place", "Tctl")), "temp1_input", 0.1),
    Channel("edgeprof_memory_available_bytes", (), "/proc/meminfo", 65536),
    Channel("edgeprof_cpu_busy_ratio", (), "/proc/stat", 0.001),
)
LAYOUT = Layout(layout=7, channels=[channel_to_message(each) for each in CHANNELS])
SECOND_NS = 1_000_000_000

Column = Sequence[int | None]


def telemetry_of(frames: Sequence[tuple[Sequence[int], Sequence[Column]]]) -> RunTelemetry:
    """One frame a second, each with the given tick offsets in microseconds and columns."""
    telemetry = RunTelemetry(layouts=[LAYOUT])
    for index, (offsets_us, columns) in enumerate(frames):
        start_ns = index * SECOND_NS
        times = [start_ns + offset * 1000 for offset in offsets_us]
        block = encode_block(LAYOUT.layout, start_ns, times, columns)
        telemetry.frames.append(
            Frame(start_monotonic_ns=start_ns, end_monotonic_ns=start_ns + SECOND_NS, blocks=[block])
        )
    return telemetry


def by_reference(telemetry: RunTelemetry) -> dict[Channel, list[tuple[int, float]]]:
    """The same by ``decode_block``, one block at a time."""
    found: dict[Channel, list[tuple[int, float]]] = {channel: [] for channel in CHANNELS}
    for frame in telemetry.frames:
        for column in decode_block(frame.blocks[0], LAYOUT, frame.start_monotonic_ns):
            pairs = zip(column.times_monotonic_ns, column.values, strict=True)
            found[column.channel] += [(time_ns, value) for time_ns, value in pairs if value is not None]
    return found


def pairs_of(series: Series) -> list[tuple[int, float]]:
    return list(zip(series.times_monotonic_ns.tolist(), series.values.tolist(), strict=True))


@st.composite
def frames(draw: st.DrawFn) -> list[tuple[list[int], list[list[int | None]]]]:
    made = []
    for _ in range(draw(st.integers(0, 5))):
        offsets = sorted(draw(st.lists(st.integers(0, 999_999), max_size=6, unique=True)))
        value = st.one_of(st.none(), st.integers(-(2**40), 2**40), st.just(5))
        columns = [draw(st.lists(value, min_size=len(offsets), max_size=len(offsets))) for _ in CHANNELS]
        made.append((offsets, columns))
    return made


@given(frames())
def test_many_blocks_at_once_say_what_each_block_says(made: list[tuple[list[int], list[list[int | None]]]]) -> None:
    telemetry = telemetry_of(made)
    assert {series.channel: pairs_of(series) for series in collect_series(telemetry)} == by_reference(telemetry)


def test_portions_join_seamlessly(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = telemetry_of([([0, 500_000], [[index, index + 1], [4, 4], [None, index]]) for index in range(9)])
    whole = {series.channel: pairs_of(series) for series in collect_series(telemetry)}
    monkeypatch.setattr("edgeprof_collector.analysis.series._VALUES_AT_ONCE", 12)
    assert {series.channel: pairs_of(series) for series in collect_series(telemetry)} == whole
    assert whole == by_reference(telemetry)


def test_channels_sampled_together_share_their_time_axis() -> None:
    first, second, third = collect_series(telemetry_of([([0, 1], [[1, 2], [3, 4], [5, 6]])] * 3))
    assert first.times_monotonic_ns is second.times_monotonic_ns is third.times_monotonic_ns


@pytest.mark.parametrize(
    "damage",
    [
        lambda block: setattr(block, "differences", b"\x0a\xff"),
        lambda block: setattr(block, "differences", b""),
        lambda block: setattr(block, "last_values", b""),
        lambda block: setattr(block, "times", b""),
        lambda block: setattr(block, "absent", b"\x00\x00\x00"),
        lambda block: setattr(block, "tick_count", 2**31),
    ],
)
def test_a_malformed_block_is_counted_and_the_others_are_kept(damage: object) -> None:
    assert callable(damage)
    telemetry = telemetry_of([([0, 1], [[index, index + 1], [3, 3], [5, 6]]) for index in range(7)])
    whole = {series.channel: pairs_of(series) for series in collect_series(telemetry)}
    damage(telemetry.frames[3].blocks[0])
    for series in collect_series(telemetry):
        assert series.malformed_blocks == 1
        assert pairs_of(series) == [pair for pair in whole[series.channel] if pair[0] // SECOND_NS != 3]


def test_a_block_of_an_unknown_layout_might_have_held_any_channel() -> None:
    telemetry = telemetry_of([([0], [[1], [2], [3]])] * 2)
    telemetry.frames[0].blocks[0].layout = 8
    assert [(series.malformed_blocks, series.values.size) for series in collect_series(telemetry)] == [(1, 1)] * 3


def test_a_layout_without_a_usable_resolution_is_malformed() -> None:
    telemetry = telemetry_of([([0], [[1], [2], [3]])])
    telemetry.layouts[0].channels[0].resolution = 0.0
    assert [(series.malformed_blocks, series.values.size) for series in collect_series(telemetry)] == [(1, 0)] * 3


def test_frames_that_came_out_of_order_are_put_in_order() -> None:
    telemetry = telemetry_of([([0, 1], [[index, index], [3, 4], [5, 6]]) for index in range(3)])
    swapped = RunTelemetry(layouts=telemetry.layouts, frames=list(telemetry.frames)[::-1])
    for series in collect_series(swapped):
        assert np.all(np.diff(series.times_monotonic_ns) > 0)


def test_a_layout_without_channels_says_nothing() -> None:
    telemetry = telemetry_of([([0, 100_000], [[410, 420], [0, 0], [0, 1]])])
    telemetry.layouts.append(Layout(layout=8))
    telemetry.frames[0].blocks.append(encode_block(8, 0, [0, 100_000], []))
    assert len(collect_series(telemetry)) == len(CHANNELS)


def test_no_frames_give_empty_series() -> None:
    assert [series.values.size for series in collect_series(telemetry_of([]))] == [0, 0, 0]
