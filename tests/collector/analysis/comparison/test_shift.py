"""The randomisation tests against what they are by definition, and against worked examples."""

import math
from itertools import combinations, product
from statistics import fmean

import numpy as np
import pytest

from edgeprof_collector.analysis.comparison.shift import PairedShift, SeparateShift, Shift

DIFFERENCES = (0.031, 0.012, -0.004, 0.027, 0.019, 0.041, 0.008)
BASE = (4.61, 4.63, 4.60, 4.62, 4.59)
CANDIDATE = (4.66, 4.64, 4.67, 4.65, 4.61)


def test_paired_probability_is_that_of_all_signs() -> None:
    flipped = [fmean(np.multiply(DIFFERENCES, signs)) for signs in product((1, -1), repeat=len(DIFFERENCES))]
    extreme = sum(abs(mean) >= fmean(DIFFERENCES) - 1e-12 for mean in flipped)

    assert PairedShift(DIFFERENCES).probability() == pytest.approx(extreme / len(flipped))


def test_separate_probability_is_that_of_all_deals() -> None:
    def welch(first: tuple[float, ...], second: tuple[float, ...]) -> float:
        spread = np.var(first, ddof=1) / len(first) + np.var(second, ddof=1) / len(second)
        return float((np.mean(second) - np.mean(first)) / math.sqrt(spread))

    values = BASE + CANDIDATE
    statistics = []
    for picks in combinations(range(10), 5):
        rest = [index for index in range(10) if index not in picks]
        statistics.append(welch(tuple(values[i] for i in picks), tuple(values[i] for i in rest)))
    above = sum(each >= welch(BASE, CANDIDATE) - 1e-9 for each in statistics)

    assert SeparateShift(BASE, CANDIDATE).probability() == pytest.approx(2 * above / len(statistics))


@pytest.mark.parametrize("shift", [PairedShift(DIFFERENCES), SeparateShift(BASE, CANDIDATE)], ids=["pairs", "separate"])
def test_the_interval_is_the_test_inverted(shift: Shift) -> None:
    interval = shift.interval(0.05)

    assert interval is not None
    assert interval.low < shift.estimate < interval.high
    assert (interval.low <= 0 <= interval.high) is (shift.probability() > 0.05)


@pytest.mark.parametrize("shift", [PairedShift([0.01] * 5), SeparateShift([1, 2, 3], [4, 5, 6])])
def test_too_few_values_show_nothing(shift: Shift) -> None:
    assert shift.least_probability > 0.05
    assert shift.probability() > 0.05
    assert shift.interval(0.05) is None


def test_values_without_any_spread() -> None:
    same, other = SeparateShift([7.1] * 6, [7.1] * 6), SeparateShift([7.1] * 6, [7.2] * 6)

    assert same.probability() == 1
    assert other.probability() < 0.01
    interval = other.interval(0.05)
    assert interval is not None
    assert interval.low == pytest.approx(0.1)
    assert interval.high == pytest.approx(0.1)


def test_many_values_are_dealt_at_random_and_the_same_every_time() -> None:
    chance = np.random.default_rng(3)
    base, candidate = chance.normal(0, 0.02, 40), chance.normal(0.03, 0.02, 40)

    assert SeparateShift(list(base), list(candidate)).probability() < 0.001
    assert PairedShift(list(candidate - base)).probability() < 0.001
    assert SeparateShift(list(base), list(candidate)).interval(0.05) == SeparateShift(
        list(base), list(candidate)
    ).interval(0.05)


def test_groups_of_unequal_number_and_spread() -> None:
    """Where the smaller group is twice as wild, Welch's t rejects 7 % of equal sides, dealing out plain means 17 %."""
    chance = np.random.default_rng(11)
    rejected = sum(
        SeparateShift(list(chance.normal(0, 0.04, 10)), list(chance.normal(0, 0.02, 30))).probability() <= 0.05
        for _ in range(200)
    )

    assert rejected <= 26
