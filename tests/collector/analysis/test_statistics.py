import numpy as np
import pytest

from edgeprof_collector.analysis.statistics import drift_ratio, gap_percentiles, median_interval, summarise
from edgeprof_collector.analysis.verdict import Interval


def test_quartiles_interpolate_between_order_statistics() -> None:
    summary = summarise([4.0, 1.0, 3.0, 2.0])
    assert (summary.first_quartile, summary.median, summary.third_quartile) == (1.75, 2.5, 3.25)


def test_one_value_is_its_own_median_without_an_interval() -> None:
    summary = summarise([7.0])
    assert (summary.first_quartile, summary.median, summary.third_quartile, summary.interval) == (7.0, 7.0, 7.0, None)


def test_under_five_repetitions_there_is_no_interval() -> None:
    assert median_interval([1.0, 2.0, 3.0, 4.0]) is None
    assert median_interval([1.0, 2.0, 3.0, 4.0, 5.0]) is not None


def test_the_interval_holds_the_median_and_is_the_same_every_time() -> None:
    values = np.random.default_rng(3).normal(100, 2, 11).tolist()
    interval = median_interval(values)
    assert interval is not None
    assert min(values) <= interval.low <= float(np.median(values)) <= interval.high <= max(values)
    assert median_interval(values) == interval


def test_equal_values_give_an_interval_of_no_width() -> None:
    assert median_interval([5.0] * 6) == Interval(5.0, 5.0)


@pytest.mark.parametrize("count", [5, 10, 20])
def test_the_interval_covers_about_what_it_says(count: int) -> None:
    """Of 600 samples with a known median; the binomial's own spread is 0.9 %."""
    generator = np.random.default_rng(count)
    covered = 0
    for _ in range(600):
        interval = median_interval(generator.lognormal(0, 0.5, count).tolist())
        assert interval is not None
        covered += interval.low <= 1.0 <= interval.high
    assert 0.90 <= covered / 600 <= 0.985


def test_percentiles_are_those_of_the_pooled_gaps() -> None:
    gaps = [np.arange(1, 101) / 1000, np.arange(101, 201) / 1000]
    assert [each.ratio for each in gap_percentiles(gaps)] == [0.5, 0.9, 0.99]
    assert [each.seconds for each in gap_percentiles(gaps)] == pytest.approx([0.1005, 0.1801, 0.19801])
    assert all(each.interval is None for each in gap_percentiles(gaps))


def test_percentiles_that_too_few_gaps_bear_are_left_out() -> None:
    assert [each.ratio for each in gap_percentiles([np.ones(99)])] == [0.5, 0.9]
    assert [each.ratio for each in gap_percentiles([np.ones(9)])] == [0.5]
    assert gap_percentiles([np.ones(1)]) == ()


def test_percentile_intervals_resample_whole_repetitions() -> None:
    """Gaps differ between repetitions, not within: resampled singly, the interval would be far too narrow."""
    gaps = [np.full(50, level) for level in (0.010, 0.011, 0.012, 0.013, 0.014)]
    median = gap_percentiles(gaps)[0]
    assert median.interval == Interval(0.010, 0.014)


def test_percentile_intervals_agree_with_plain_resampling() -> None:
    generator = np.random.default_rng(5)
    gaps = [generator.gamma(20, 0.001, int(size)) for size in generator.integers(1500, 3000, 8)]
    found = gap_percentiles(gaps)
    plain = np.array(
        [
            np.quantile(np.concatenate([gaps[pick] for pick in picks]), (0.5, 0.9, 0.99))
            for picks in generator.integers(0, 8, (500, 8))
        ]
    )
    for index, percentile in enumerate(found):
        assert percentile.interval is not None
        low, high = np.quantile(plain[:, index], (0.025, 0.975))
        width = high - low
        assert percentile.interval.low == pytest.approx(low, abs=width * 0.25)
        assert percentile.interval.high == pytest.approx(high, abs=width * 0.25)


def test_a_steady_fall_is_drift() -> None:
    assert drift_ratio([100, 97, 94, 91, 88]) == pytest.approx(-12 / 94)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([100, 99.8, 99.6, 99.4, 99.2], id="too small to matter"),
        pytest.param([100, 88, 104, 90, 97, 101, 92], id="noise"),
        pytest.param([100, 90, 80, 70], id="too few to tell"),
        pytest.param([100.0] * 8, id="constant"),
    ],
)
def test_what_is_no_drift(values: list[float]) -> None:
    assert drift_ratio(values) is None


def test_noise_is_seldom_called_drift() -> None:
    generator = np.random.default_rng(11)
    called = sum(drift_ratio(generator.normal(100, 5, 8).tolist()) is not None for _ in range(600))
    assert called / 600 <= 0.07
