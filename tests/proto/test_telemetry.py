"""Frames: packed and unpacked again, and refused when they are malformed."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof.catalogue import METRICS
from edgeprof.telemetry import (
    Channel,
    MalformedFrameError,
    SampledBlock,
    SampledFrame,
    channel_from_message,
    channel_to_message,
    check_block,
    check_layout,
    decode_block,
    dequantise,
    encode_block,
    encode_frame,
    last_steps,
    quantise,
)
from edgeprof.v1.telemetry_pb2 import Block, Frame, Integers, Layout

_START_NS = 1_000_000_000_000
_STEPS = st.integers(-(2**61), 2**61)  # so that a difference of two fits 64 bits
_RESOLUTIONS = st.sampled_from(sorted({float(metric.resolution) for metric in METRICS.values()}))

Columns = list[list[int | None]]


def _channels(resolutions: Sequence[float]) -> tuple[Channel, ...]:
    return tuple(
        Channel("edgeprof_cpu_core_busy_ratio", (("core", str(index)),), "/proc/stat", resolution)
        for index, resolution in enumerate(resolutions)
    )


def _layout(channels: Sequence[Channel]) -> Layout:
    return Layout(layout=1, channels=[channel_to_message(channel) for channel in channels])


@st.composite
def _samples(draw: st.DrawFn) -> tuple[list[int], list[float], Columns]:
    """Times in whole microseconds, the channels' resolutions, and their columns."""
    ticks = draw(st.integers(1, 12))
    gaps_us = draw(st.lists(st.integers(0, 2_000_000), min_size=ticks, max_size=ticks))
    times_ns = [_START_NS + sum(gaps_us[: tick + 1]) * 1000 for tick in range(ticks)]
    resolutions = draw(st.lists(_RESOLUTIONS, max_size=10))
    values = st.none() | st.integers(-3, 3) | _STEPS
    varied = st.lists(values, min_size=ticks, max_size=ticks)
    constant: st.SearchStrategy[list[int | None]] = _STEPS.map(lambda value: [value] * ticks)
    columns = draw(st.lists(varied | constant, min_size=len(resolutions), max_size=len(resolutions)))
    return times_ns, resolutions, columns


@settings(max_examples=150, deadline=None)
@given(_samples())
def test_a_block_survives_the_wire(samples: tuple[list[int], list[float], Columns]) -> None:
    times_ns, resolutions, columns = samples
    channels = _channels(resolutions)
    layout = _layout(channels)

    packed = encode_block(1, _START_NS, times_ns, columns).SerializeToString()
    block = Block.FromString(packed)
    check_block(block, layout)
    decoded = list(decode_block(block, layout, _START_NS))

    assert [column.channel for column in decoded] == list(channels)
    assert all(column.times_monotonic_ns == tuple(times_ns) for column in decoded)
    assert [list(column.values) for column in decoded] == [
        [None if steps is None else dequantise(steps, resolution) for steps in column]
        for column, resolution in zip(columns, resolutions, strict=True)
    ]


@settings(max_examples=100, deadline=None)
@given(_samples())
def test_last_values_are_read_without_the_differences(samples: tuple[list[int], list[float], Columns]) -> None:
    times_ns, _, columns = samples
    block = encode_block(1, _START_NS, times_ns, columns)
    block.differences = b"never opened"

    last = [next((steps for steps in reversed(column) if steps is not None), None) for column in columns]

    assert last_steps(block, len(columns)) == last


def test_times_are_kept_to_the_microsecond() -> None:
    block = encode_block(1, _START_NS, [_START_NS + 1999], [[7]])

    (column,) = decode_block(block, _layout(_channels([1.0])), _START_NS)

    assert column.times_monotonic_ns == (_START_NS + 1000,)


def test_a_constant_channel_takes_no_differences() -> None:
    times_ns = [_START_NS + tick * 1000 for tick in range(10)]

    block = encode_block(1, _START_NS, times_ns, [[5] * 10, [5, None] * 5])

    assert block.differences == b""


def test_a_frame_numbers_the_channels_of_each_block() -> None:
    fast, slow = _channels([0.1]), _channels([1.0, 4096.0])
    frame = SampledFrame(
        run_id="run",
        start_monotonic_ns=_START_NS,
        end_monotonic_ns=_START_NS + 10**9,
        blocks=(
            SampledBlock(channels=fast, times_monotonic_ns=(_START_NS, _START_NS + 5000), columns=((1, 2),)),
            SampledBlock(channels=slow, times_monotonic_ns=(_START_NS,), columns=((3,), (None,))),
        ),
    )
    numbers = {fast: 4, slow: 9}

    packed = Frame.FromString(encode_frame(frame, b"boot" * 4, numbers.__getitem__).SerializeToString())

    assert (packed.boot_id, packed.run_id) == (b"boot" * 4, "run")
    assert (packed.start_monotonic_ns, packed.end_monotonic_ns) == (_START_NS, _START_NS + 10**9)
    assert [block.layout for block in packed.blocks] == [4, 9]
    values = [
        [column.values for column in decode_block(block, _layout(channels), _START_NS)]
        for block, channels in zip(packed.blocks, (fast, slow), strict=True)
    ]
    assert values == [[(0.1, 0.2)], [(3.0,), (None,)]]


@settings(max_examples=100, deadline=None)
@given(steps=st.integers(-(10**9), 10**9), resolution=_RESOLUTIONS)
def test_quantising_undoes_dequantising(steps: int, resolution: float) -> None:
    assert quantise(dequantise(steps, resolution), resolution) == steps


def test_decimal_resolutions_give_decimal_values() -> None:
    assert dequantise(253, 0.1) == 25.3
    assert dequantise(quantise(25.26, 0.1), 0.1) == 25.3


def test_a_channel_survives_the_wire_with_its_labels_sorted() -> None:
    channel = Channel("edgeprof_power_watts", (("chip", "ina3221"), ("rail", "cpu")), "/sys/x", 0.001)

    assert channel_from_message(channel_to_message(channel)) == channel


def _good_block() -> Block:
    return encode_block(1, _START_NS, [_START_NS, _START_NS + 1000, _START_NS + 2000], [[1, 2, 3], [4, None, 6]])


_LAYOUT = _layout(_channels([1.0, 1.0]))
_MALFORMED = {
    "a time too many": {"times": Integers(values=[0, 0, 0, 0]).SerializeToString()},
    "no times": {"times": b""},
    "times that are no integers": {"times": b"\xff\xff\xff"},
    "more ticks than times": {"tick_count": 2**32 - 1},
    "no ticks": {"tick_count": 0},
    "a last value missing": {"last_values": Integers(values=[1]).SerializeToString()},
    "a difference missing": {"differences": Integers(values=[1, 1]).SerializeToString()},
    "a difference too many": {"differences": Integers(values=[1, 1, 1, 1]).SerializeToString()},
    "absent bits too short": {"absent": b""},
    "absent bits too long": {"absent": b"\x10\x00"},
    "constant bits too long": {"constant_channels": b"\x00\x00"},
    "a constant channel with differences": {"constant_channels": b"\x01"},
}


@pytest.mark.parametrize("fields", _MALFORMED.values(), ids=_MALFORMED.keys())
def test_a_malformed_block_is_refused(fields: dict[str, object]) -> None:
    block = _good_block()
    for name, value in fields.items():
        setattr(block, name, value)

    with pytest.raises(MalformedFrameError):
        list(decode_block(block, _LAYOUT, _START_NS))


_UNFIT_LENGTHS = {
    "absent bits": {"absent": b"\x10\x00"},
    "constant bits": {"constant_channels": b"\x00\x00"},
    "empty bits": {"empty_channels": b"\x00\x00"},
    "time axis": {"tick_count": 1000, "absent": b""},
}


@pytest.mark.parametrize("fields", _UNFIT_LENGTHS.values(), ids=_UNFIT_LENGTHS.keys())
def test_unfit_lengths_are_refused_without_opening_the_block(fields: dict[str, object]) -> None:
    block = _good_block()
    check_block(block, _LAYOUT)
    for name, value in fields.items():
        setattr(block, name, value)

    with pytest.raises(MalformedFrameError):
        check_block(block, _LAYOUT)


@pytest.mark.parametrize("resolution", [0.0, -1.0, 0.7, 5e-324, float("nan"), float("inf")])
def test_a_resolution_that_cannot_be_read_is_refused(resolution: float) -> None:
    layout = _layout(_channels([1.0, resolution]))

    with pytest.raises(MalformedFrameError, match="has the resolution"):
        check_layout(layout)
    with pytest.raises(MalformedFrameError, match="has the resolution"):
        list(decode_block(_good_block(), layout, _START_NS))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    block = _good_block()
    name = data.draw(
        st.sampled_from(["times", "last_values", "empty_channels", "constant_channels", "differences", "absent"])
    )
    setattr(block, name, data.draw(st.binary(max_size=12)))

    try:
        last_steps(block, 2)
        columns = list(decode_block(block, _LAYOUT, _START_NS))
    except MalformedFrameError:
        return
    assert [len(column.values) for column in columns] == [3, 3]
