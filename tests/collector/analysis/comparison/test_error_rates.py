"""How often a comparison is wrong, by simulation: every seed is a fresh set of devices' noise."""

from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.result import Answer, Change, Comparison

from .sides import run_of, variants_of

CHANGED = (Answer.BETTER, Answer.WORSE)
NOISE_RATIO = 0.02
Noise = Callable[[np.random.Generator, int], NDArray[np.float64]]


def _normal(chance: np.random.Generator, count: int) -> NDArray[np.float64]:
    return 1 + NOISE_RATIO * chance.standard_normal(count)


def _skewed(chance: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Mostly tight, and now and then much slower, as on a machine that others use too."""
    slow = (chance.random(count) < 0.1) * chance.exponential(0.2, count)
    return 1 / (1 + 0.01 * chance.exponential(1, count) + slow)


def _measure(
    chance: np.random.Generator, change_ratio: float, *, steps: int, paired: bool, noise: Noise = _normal
) -> Comparison:
    """Compare two sides of 10 repetitions, of which the second is ``change_ratio`` faster in every step."""
    base = [100 * noise(chance, 10) for _ in range(steps)]
    candidate = [100 * (1 + change_ratio) * noise(chance, 10) for _ in range(steps)]
    if paired:
        first, second = variants_of(base, candidate)  # type: ignore[arg-type]
    else:
        first, second = run_of(base, "base"), run_of(candidate, "candidate")  # type: ignore[arg-type]
    return compare([first], [second])


def _found_ratio(comparisons: Sequence[Comparison]) -> float:
    changes: list[Change] = [change for each in comparisons for change in each.changes]
    return sum(change.answer in CHANGED for change in changes) / len(changes)


@pytest.mark.parametrize("paired", [True, False], ids=["pairs", "separate"])
@pytest.mark.parametrize("noise", [_normal, _skewed], ids=["normal", "skewed"])
@pytest.mark.prove(short=1, whole=5)
def test_equal_sides_seldom_seem_changed(
    pytestconfig: pytest.Config, proof_seed: int, noise: Noise, *, paired: bool
) -> None:
    """Of 200 comparisons of six steps at most 16 find any change; 5 % are allowed."""
    count, most = (200, 16) if pytestconfig.getoption("--prove") else (30, 4)
    chance = np.random.default_rng([proof_seed, paired])

    comparisons = [_measure(chance, 0.0, steps=6, paired=paired, noise=noise) for _ in range(count)]

    assert sum(any(change.answer in CHANGED for change in each.changes) for each in comparisons) <= most


@pytest.mark.parametrize("paired", [True, False], ids=["pairs", "separate"])
@pytest.mark.parametrize(("steps", "change_ratio"), [(1, 0.03), (6, 0.04)])
@pytest.mark.prove(short=1, whole=5)
def test_a_true_change_is_found(
    pytestconfig: pytest.Config, proof_seed: int, steps: int, change_ratio: float, *, paired: bool
) -> None:
    """10 repetitions, 2 % of noise: at least 80 % find 3 % in one step, and 4 % where six are corrected."""
    count = (400 if pytestconfig.getoption("--prove") else 60) // steps
    chance = np.random.default_rng([proof_seed, steps, paired])

    found = [_measure(chance, change_ratio, steps=steps, paired=paired) for _ in range(count)]

    assert _found_ratio(found) >= 0.8


@pytest.mark.parametrize("paired", [True, False], ids=["pairs", "separate"])
@pytest.mark.prove(short=1, whole=5)
def test_the_smallest_visible_change_is_what_it_says(
    pytestconfig: pytest.Config, proof_seed: int, *, paired: bool
) -> None:
    """A change as large as the comparisons say they would show is shown in about 80 % of them."""
    count = 300 if pytestconfig.getoption("--prove") else 60
    chance = np.random.default_rng([proof_seed, paired])
    stated = [
        change.smallest_visible_ratio
        for _ in range(count)
        for change in _measure(chance, 0.0, steps=1, paired=paired).changes
        if change.smallest_visible_ratio is not None
    ]

    found = [_measure(chance, median(stated), steps=1, paired=paired) for _ in range(count)]

    assert len(stated) == count
    assert 0.7 <= _found_ratio(found) <= 0.9
