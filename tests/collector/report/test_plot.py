import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeprof_collector.report.plot import Canvas, Range, range_around, range_from_zero, whole_numbers
from edgeprof_collector.report.thinning import thin, unbroken_stretches


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 100, ["0", "20", "40", "60", "80", "100"]),
        (171, 189, ["175", "180", "185"]),
        (22.8, 25.2, ["23.0", "23.5", "24.0", "24.5", "25.0"]),
        (0, 0.012, ["0.0000", "0.0025", "0.0050", "0.0075", "0.0100"]),
        (0, 12_000, ["0", "2,500", "5,000", "7,500", "10,000"]),
    ],
)
def test_ticks_are_round(low: float, high: float, labels: list[str]) -> None:
    assert [tick.label for tick in Range(low, high).axis("").ticks] == labels


def test_ticks_stand_at_their_values() -> None:
    ticks = Range(10, 30).axis("ms", unit_size=0.001, count=2).ticks
    assert [(tick.label, tick.percent) for tick in ticks] == [("10,000", 0), ("20,000", 50), ("30,000", 100)]


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_any_range_has_a_few_ticks_within(low: float, width: float) -> None:
    ticks = Range(low, low + width).axis("").ticks
    assert 1 <= len(ticks) <= 8
    assert all(-1 <= tick.percent <= 101 for tick in ticks)


def test_things_are_numbered_from_one() -> None:
    span, axis = whole_numbers("repetition", 5)
    assert (span.low, span.high) == (0.5, 5.5)
    assert [(tick.label, tick.percent) for tick in axis.ticks] == [
        ("1", 10),
        ("2", 30),
        ("3", 50),
        ("4", 70),
        ("5", 90),
    ]
    assert [tick.label for tick in whole_numbers("token", 47, count=6)[1].ticks] == ["1", "10", "20", "30", "40"]


def test_values_become_units_of_the_area_with_y_upwards() -> None:
    canvas = Canvas(Range(0, 10), Range(0, 100))
    assert canvas.line([(0, 0), (5, 100), (10, 33.333)]) == "M0 1000L500 0L1000 666.7"
    assert canvas.dot(5, 50) == "M500 500h0"
    assert canvas.box(-5, 5, 50, 200) == "M0 500L0 0L500 0L500 500Z"


def test_noise_does_not_fill_a_plot() -> None:
    around = range_around([99.9, 100.1], 0.10)
    assert [around.low, around.high] == pytest.approx([95, 105])
    assert range_around([5.0], 0.0).high > 5.0
    assert range_from_zero([0.0]).high > 0


def test_thinning_keeps_every_peak() -> None:
    generator = np.random.default_rng(1)
    times, values = np.arange(50_000) / 10, generator.normal(0, 1, 50_000)
    values[12_345], values[40_001] = 50, -50
    thin_times, thin_values = thin(times, values, buckets=100)
    assert thin_times.size <= 200
    assert {50.0, -50.0} <= set(thin_values)
    assert np.all(np.diff(thin_times) > 0)
    for bucket in range(100):
        inside = slice(bucket * 500, (bucket + 1) * 500)
        kept = thin_values[(thin_times >= times[inside][0]) & (thin_times <= times[inside][-1])]
        assert (kept.min(), kept.max()) == (values[inside].min(), values[inside].max())


def test_short_series_are_not_thinned() -> None:
    times = np.arange(150.0)
    assert thin(times, times, buckets=100)[0] is times


def test_a_line_breaks_where_samples_are_missing() -> None:
    times = np.array([0, 1, 2, 3, 20, 21, 22], np.float64)
    assert unbroken_stretches(times) == [slice(0, 4), slice(4, 7)]
    assert unbroken_stretches(times[:1]) == [slice(0, 1)]
    assert unbroken_stretches(times[:0]) == []
