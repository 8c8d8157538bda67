"""The search for the first slower build, on simulated devices."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from edgeprof_collector.analysis.comparison.bisection import Conclusion, Pair, Search, search
from edgeprof_collector.analysis.comparison.result import Aspect

from .sides import variants_of


class Device:
    """Measures builds whose true rates are known, and counts how often."""

    def __init__(self, rates: Sequence[float], noise_ratio: float, seed: int = 0) -> None:
        self._rates = rates
        self._noise_ratio = noise_ratio
        self._chance = np.random.default_rng(seed)
        self.measured: list[int] = []

    def measure(self, index: int) -> Pair:
        self.measured.append(index)
        sides = [
            [rate * (1 + self._noise_ratio * self._chance.standard_normal(10))]
            for rate in (self._rates[0], self._rates[index])
        ]
        first, second = variants_of(*sides)  # type: ignore[arg-type]
        run_id = f"run-{len(self.measured)}"
        return tuple(replace(run, verdict=replace(run.verdict, run_id=run_id)) for run in (first, second))  # type: ignore[return-value]

    def search(self) -> Search:
        return search(len(self._rates), self.measure, Aspect.DECODE, attempts=3)


@pytest.mark.parametrize("first_bad", range(1, 9))
def test_the_first_slower_build_is_found(first_bad: int) -> None:
    device = Device([100.0] * first_bad + [80.0] * (9 - first_bad), 0.01)

    found = device.search()

    assert (found.conclusion, found.last_good, found.first_bad) == (Conclusion.FOUND, first_bad - 1, first_bad)
    assert len(set(device.measured)) <= 1 + 3


def test_small_differences_beside_the_large_one_do_not_mislead() -> None:
    found = Device([100.0, 97.0, 98.0, 103.0, 78.0, 80.0], 0.005).search()

    assert (found.conclusion, found.first_bad) == (Conclusion.FOUND, 4)


@pytest.mark.parametrize("rates", [[100.0, 100.0, 100.0], [100.0, 90.0, 120.0]])
def test_no_build_is_slower_in_the_end(rates: Sequence[float]) -> None:
    found = Device(rates, 0.01).search()

    assert (found.conclusion, found.first_bad) == (Conclusion.NONE_SLOWER, None)


def test_noise_forbids_an_answer() -> None:
    device = Device([100.0, 98.0, 95.0], 0.5)

    found = device.search()

    assert (found.conclusion, found.first_bad) == (Conclusion.CANNOT_TELL, None)
    assert device.measured == [2, 2, 2]


def test_a_build_in_the_middle_between_good_and_bad_is_left_open() -> None:
    found = Device([100.0, 90.0, 80.0], 0.01, seed=4).search()

    assert (found.conclusion, found.last_good, found.first_bad) == (Conclusion.CANNOT_TELL, 0, 2)


@pytest.mark.prove(short=1, whole=5)
def test_a_search_is_seldom_wrong(pytestconfig: pytest.Config, proof_seed: int) -> None:
    """Of 100 searches among 8 builds, 5 % slower at 2 % of noise, at most 10 name the wrong build."""
    count, most = (100, 10) if pytestconfig.getoption("--prove") else (20, 3)
    chance = np.random.default_rng(proof_seed)
    wrong = 0
    for seed in range(count):
        first_bad = int(chance.integers(1, 8))
        found = Device([100.0] * first_bad + [95.0] * (8 - first_bad), 0.02, seed + 1000 * proof_seed).search()
        wrong += found.conclusion is Conclusion.FOUND and found.first_bad != first_bad

    assert wrong <= most
