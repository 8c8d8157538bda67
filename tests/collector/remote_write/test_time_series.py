"""Frames as series."""

import struct
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from edgeprof.telemetry import decode_block, encode_block, pack_integers
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.remote_write.parcel import pack
from edgeprof_collector.remote_write.time_series import STALE, Piece, SeriesWriter
from edgeprof_collector.remote_write.write_request_pb2 import TimeSeries
from edgeprof_collector.store.outgoing import StoredFrame, StoredLayout
from tests.collector.store.samples import DEVICE, FAST, SECOND_NS, frame_message, layout

WALL_NS = 1_750_000_000_123_456_789

columns = st.integers(1, 30).flatmap(
    lambda ticks: st.tuples(
        *(st.lists(st.none() | st.integers(-(2**40), 2**40), min_size=ticks, max_size=ticks) for _ in FAST)
    )
)


def stored(message: AgentMessage, position: int = 1) -> StoredFrame:
    return StoredFrame(position, DEVICE, WALL_NS, message.frame, {1: StoredLayout(5, layout())})


def by_series(pieces: Sequence[Piece]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for piece in pieces:
        series = TimeSeries.FromString(piece.series)
        samples = [(sample.timestamp, sample.value) for sample in series.samples]
        assert piece.sample_count == len(samples)
        found.setdefault(series.labels[0].value, []).extend(samples)
    return found


@given(columns, st.integers(1, 40))
def test_pieces_hold_every_value_at_its_time(values: Sequence[Sequence[int | None]], most_samples: int) -> None:
    frame = stored(frame_message(1, values=values))
    pieces = list(SeriesWriter({}, most_samples).frames([frame]))
    assert all(piece.sample_count <= most_samples for piece in pieces)
    expected = {}
    for column in decode_block(frame.frame.blocks[0], layout(), SECOND_NS):
        present = [
            ((WALL_NS + at - SECOND_NS) // 1_000_000, value)
            for at, value in zip(column.times_monotonic_ns, column.values, strict=True)
            if value is not None
        ]
        if present:
            expected[column.channel.metric] = present
    assert by_series(pieces) == expected
    assert [piece for parcel in pack(pieces, most_samples) for piece in parcel.pieces] == pieces


def test_of_two_values_in_one_millisecond_the_first_is_sent() -> None:
    message = frame_message(1, values=((1, 2, 3), (None, None, None)))
    block = message.frame.blocks[0]
    times = [SECOND_NS, SECOND_NS + 1000, SECOND_NS + 2_000_000]
    block.CopyFrom(encode_block(1, SECOND_NS, times, [[1, 2, 3], [None] * 3]))
    ((_, samples),) = by_series(list(SeriesWriter({}, 10).frames([stored(message)]))).items()
    assert [value for _, value in samples] == [0.001, 0.003]


def test_a_block_that_cannot_be_read_is_counted_and_left_out() -> None:
    damaged = frame_message(1)
    damaged.frame.blocks[0].last_values = b"\xff"
    writer = SeriesWriter({}, 10)
    pieces = list(writer.frames([stored(damaged), stored(frame_message(2), 2)]))
    assert {piece.position for piece in pieces} == {2}
    assert (writer.take_unreadable_blocks(), writer.take_unreadable_blocks()) == (1, 0)


def test_a_block_of_times_that_cannot_be_sent_is_counted_and_left_out() -> None:
    """Whose differences add up to more than 64 bits."""
    ticks = tuple(range(100))
    damaged = frame_message(1, values=(ticks, ticks))
    damaged.frame.blocks[0].times = pack_integers([2**62] * len(ticks))
    writer = SeriesWriter({}, 10)
    pieces = list(writer.frames([stored(damaged), stored(frame_message(2), 2)]))
    assert {piece.position for piece in pieces} == {2}
    assert writer.take_unreadable_blocks() == 1


def test_an_ended_series_is_marked_behind_its_last_sample() -> None:
    newest = stored(frame_message(2, values=((1, 2, None), (None, None, None))), 2)
    ends = by_series(
        list(SeriesWriter({}, 10).ends([newest, stored(frame_message(1, values=((1,), (None,))))], 10**10))
    )
    ((_, ((time_ms, value),)),) = ends.items()
    assert time_ms == (WALL_NS + 100_000_000) // 1_000_000 + 1
    assert struct.pack("<d", value) == struct.pack("<d", STALE), "not any NaN, but the marker"


def test_a_metric_that_this_version_does_not_know_is_left_out() -> None:
    described = layout()
    described.channels[0].metric = "edgeprof_invented_ratio"
    frame = stored(frame_message(1))._replace(layouts={1: StoredLayout(6, described)})
    assert list(by_series(list(SeriesWriter({}, 10).frames([frame])))) == ["edgeprof_memory_available_bytes"]
