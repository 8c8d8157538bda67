from hypothesis import given
from hypothesis import strategies as st

from edgeprof.catalogue import channel
from edgeprof.telemetry import Channel, Reading, SampledBlock, SampledFrame
from edgeprof_agent.sampling.frames import FrameBuilder
from tests.agent.sampling.stand_ins import MEMORY, POWER, TEMPERATURE


def block(frame: SampledFrame | None, index: int = 0) -> SampledBlock:
    assert frame is not None
    return frame.blocks[index]


def test_values_are_counted_in_steps_of_the_resolution() -> None:
    builder = FrameBuilder("run", 10)
    builder.add("fast", 20, [Reading(TEMPERATURE, 25.34), Reading(POWER, 7.0004), Reading(MEMORY, 3 * 65536 - 1)])
    builder.add("fast", 30, [Reading(TEMPERATURE, 25.36), Reading(POWER, 7.0006), Reading(MEMORY, 3 * 65536 + 1)])
    assert builder.close(40) == SampledFrame(
        run_id="run",
        start_monotonic_ns=10,
        end_monotonic_ns=40,
        blocks=(
            SampledBlock(
                channels=(MEMORY, POWER, TEMPERATURE),
                times_monotonic_ns=(20, 30),
                columns=((3, 3), (7000, 7001), (253, 254)),
            ),
        ),
    )


def test_groups_have_time_axes_of_their_own() -> None:
    builder = FrameBuilder("", 0)
    builder.add("fast", 1, [Reading(MEMORY, 65536)])
    builder.add("slow", 1, [Reading(POWER, 1)])
    builder.add("fast", 2, [Reading(MEMORY, 65536)])
    frame = builder.close(3)
    assert block(frame, 0).times_monotonic_ns == (1, 2)
    assert block(frame, 1).times_monotonic_ns == (1,)


def test_a_channel_without_a_value_has_none_at_that_tick() -> None:
    builder = FrameBuilder("", 0)
    builder.add("fast", 1, [Reading(MEMORY, 65536)])
    builder.add("fast", 2, [Reading(MEMORY, 65536), Reading(POWER, 0.001)])
    builder.add("fast", 3, [Reading(POWER, 0.002)])
    assert block(builder.close(4)).columns == ((1, 1, None), (None, 1, 2))


def test_a_channel_keeps_its_place_when_it_is_silent_for_a_frame() -> None:
    builder = FrameBuilder("", 0)
    builder.add("fast", 1, [Reading(MEMORY, 65536), Reading(POWER, 0.001)])
    first = block(builder.close(2))
    builder.add("fast", 3, [Reading(MEMORY, 65536)])
    second = block(builder.close(4))
    assert second.channels is first.channels
    assert second.columns == ((1,), (None,))


def test_the_same_channels_make_the_same_layout_whichever_came_first() -> None:
    layouts = []
    for readings in ([Reading(POWER, 1), Reading(MEMORY, 1)], [Reading(MEMORY, 1), Reading(POWER, 1)]):
        builder = FrameBuilder("", 0)
        for reading in readings:
            builder.add("fast", 1, [reading])
        layouts.append(block(builder.close(2)).channels)
    assert layouts[0] == layouts[1]


def test_channels_that_are_equal_share_a_column() -> None:
    twin = channel("edgeprof_power_watts", "/test", chip="test", rail="core")
    builder = FrameBuilder("", 0)
    builder.add("fast", 1, [Reading(POWER, 0.001)])
    builder.add("fast", 2, [Reading(twin, 0.002)])
    assert block(builder.close(3)).columns == ((1, 2),)


def test_frames_follow_each_other_without_a_gap() -> None:
    builder = FrameBuilder("", 5)
    builder.add("fast", 6, [Reading(POWER, 1)])
    first = builder.close(10)
    assert builder.close(15) is None  # nothing was sampled
    builder.add("fast", 16, [Reading(POWER, 1)])
    second = builder.close(20)
    assert first is not None
    assert second is not None
    assert (first.start_monotonic_ns, first.end_monotonic_ns) == (5, 10)
    assert (second.start_monotonic_ns, second.end_monotonic_ns) == (15, 20)


CHANNELS = tuple(channel("edgeprof_power_watts", "/test", chip="test", rail=str(number)) for number in range(4))
ROWS = st.lists(st.permutations(CHANNELS) | st.just(list(CHANNELS)) | st.lists(st.sampled_from(CHANNELS)), min_size=1)


@given(st.lists(ROWS, min_size=1, max_size=5))
def test_every_value_is_found_at_its_tick_whatever_frames_came_before(frames: list[list[list[Channel]]]) -> None:
    builder = FrameBuilder("run", 0)
    end_ns = value = 0
    for rows in frames:
        expected: list[dict[Channel, int]] = []
        for row in rows:
            end_ns += 1
            values = range(value, value := value + len(row))
            builder.add("fast", end_ns, [Reading(*pair) for pair in zip(row, values, strict=True)])
            expected.append({one: round(number / one.resolution) for one, number in zip(row, values, strict=True)})
        if frame := builder.close(end_ns + 1):
            found = block(frame)
            columns = dict(zip(found.channels, found.columns, strict=True))
            assert {one for row in rows for one in row} <= columns.keys()
            for one, column in columns.items():
                assert column == tuple(row.get(one) for row in expected)
