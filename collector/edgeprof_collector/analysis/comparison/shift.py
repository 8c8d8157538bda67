"""How far the candidate's values are shifted from the base's, by randomisation: exact, and free of a distribution.

Values are logarithms, so that a shift is a relative change and the long right tail of times is pulled in. Both tests
are inverted for their interval: it holds every shift that the same data would not reject.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeprof_collector.analysis.verdict import Interval

Floats = NDArray[np.float64]

_SEED = 20_250_101
# Up to so many arrangements are all tried; of more, this many at random.
_ALL_ARRANGEMENTS = 20_000
_RANDOM_ARRANGEMENTS = 4_000
# Logarithms closer than this differ by rounding alone.
_ROUNDING = 1e-12
# Places the ends of an interval within a thousandth of its width.
_BISECTIONS = 12


class Shift(Protocol):
    """An estimate, its test and its interval. All in logarithms: the relative change is ``exp(shift) - 1``."""

    estimate: float
    standard_error: float
    least_probability: float

    def probability(self) -> float:
        """Two-sided probability of values this far apart, if both sides were the same."""
        ...

    def interval(self, significance: float) -> Interval | None:
        """All shifts not rejected at ``significance``; ``None`` with too few values to reject any."""
        ...


class PairedShift:
    """Shift of the mean of paired differences, by flipping their signs.

    Under the null each difference is as likely with the other sign. The interval's ends are order statistics of the
    means of all subsets (Hartigan, "Using subsample values as typical values", JASA 64, 1969), which is this test
    inverted.
    """

    def __init__(self, differences: Sequence[float]) -> None:
        values = _without_rounding(np.asarray(differences, np.float64))
        self.estimate = float(values.mean())
        self.standard_error = float(values.std(ddof=1)) / math.sqrt(values.size)
        subsets = _subsets(values.size)
        self._means = np.sort(subsets @ values / subsets.sum(axis=1))
        self.least_probability = 2 / (self._means.size + 1)

    def probability(self) -> float:
        """See :meth:`Shift.probability`."""
        not_above = int(np.count_nonzero(self._means <= 0))
        not_below = int(np.count_nonzero(self._means >= 0))
        return min(1.0, 2 * (1 + min(not_above, not_below)) / (self._means.size + 1))

    def interval(self, significance: float) -> Interval | None:
        """See :meth:`Shift.interval`."""
        rank = int(significance / 2 * (self._means.size + 1) + 1e-9)
        if rank < 1:
            return None
        return Interval(float(self._means[rank - 1]), float(self._means[-rank]))


class SeparateShift:
    """Shift between the means of two groups, by dealing the values out anew.

    The statistic is Welch's t, so that the test also holds where the groups differ in spread or in number (Janssen,
    "Studentized permutation tests for non-i.i.d. hypotheses", Statistics & Probability Letters 36, 1997).
    """

    def __init__(self, base: Sequence[float], candidate: Sequence[float]) -> None:
        groups = [np.asarray(each, np.float64) for each in (base, candidate)]
        self.estimate = float(_without_rounding(groups[1].mean() - groups[0].mean()))
        self.standard_error = math.sqrt(sum(float(each.var(ddof=1)) / each.size for each in groups))
        self._deals = _Deals(*groups)
        self.least_probability = self._deals.least_probability

    def probability(self) -> float:
        """See :meth:`Shift.probability`."""
        return self._deals.probability(-self.estimate)

    def interval(self, significance: float) -> Interval | None:
        """See :meth:`Shift.interval`."""
        if self.least_probability > significance:
            return None
        return Interval(self.estimate + self._reach(-1, significance), self.estimate + self._reach(1, significance))

    def _reach(self, sign: int, significance: float) -> float:
        """How far from the estimate the last shift lies that is not rejected, by halving what it lies in."""
        inside, outside = 0.0, sign * max(self.standard_error, _ROUNDING)
        while self._deals.probability(outside) > significance:
            inside, outside = outside, 2 * outside
        for _ in range(_BISECTIONS):
            middle = (inside + outside) / 2
            if self._deals.probability(middle) > significance:
                inside = middle
            else:
                outside = middle
        return inside


class _Deals:
    """Welch's t of every deal of the values into two hands, for any shift taken out of the candidate's values.

    The sums of each hand are polynomials of the shift, so the values are dealt only once.
    """

    def __init__(self, base: Floats, candidate: Floats) -> None:
        residuals = _without_rounding(np.concatenate([base - base.mean(), candidate - candidate.mean()]))
        is_candidate = np.concatenate([np.zeros(base.size), np.ones(candidate.size)])
        hands = _hands(base.size, candidate.size)
        self._sizes = (base.size, candidate.size)
        self._of_first = [hands @ each for each in (residuals, is_candidate, residuals**2, residuals * is_candidate)]
        self._of_all = [float(each.sum()) for each in (residuals, is_candidate, residuals**2, residuals * is_candidate)]
        self.least_probability = 2 / hands.shape[0]

    def probability(self, shift: float) -> float:
        """Two-sided probability of the real deal among all, with ``shift`` beyond the estimate taken out."""
        first = self._hand(self._of_first, self._sizes[0], shift)
        rest = [whole - part for whole, part in zip(self._of_all, self._of_first, strict=True)]
        second = self._hand(rest, self._sizes[1], shift)
        distance = second[0] - first[0]
        spread = np.sqrt(first[1] + second[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.nan_to_num(np.where(distance == 0, 0.0, distance / spread), posinf=1e300, neginf=-1e300)
        slack = 1e-9 * max(abs(float(statistic[0])), 1e-9)
        not_below = np.count_nonzero(statistic >= statistic[0] - slack)
        not_above = np.count_nonzero(statistic <= statistic[0] + slack)
        return min(1.0, 2 * float(min(not_below, not_above)) / statistic.size)

    @staticmethod
    def _hand(sums: Sequence[Floats], size: int, shift: float) -> tuple[Floats, Floats]:
        """Mean and squared standard error of one hand of every deal."""
        values, candidates, squares, products = sums
        mean = (values - shift * candidates) / size
        square = squares - 2 * shift * products + shift**2 * candidates
        return mean, np.maximum(square - size * mean**2, 0.0) / (size * (size - 1))


@lru_cache(maxsize=8)
def _subsets(size: int) -> Floats:
    """Every non-empty subset as a row of zeros and ones; of very many, some at random."""
    if 2**size <= _ALL_ARRANGEMENTS:
        numbers = np.arange(1, 2**size)
        return ((numbers[:, None] >> np.arange(size)) & 1).astype(np.float64)
    chosen = np.random.default_rng(_SEED).random((_RANDOM_ARRANGEMENTS - 1, size)) < 0.5
    chosen[~chosen.any(axis=1), 0] = True
    return chosen.astype(np.float64)


@lru_cache(maxsize=8)
def _hands(first: int, second: int) -> Floats:
    """Every choice of ``first`` values out of all as a row of zeros and ones, the real one first."""
    total = first + second
    if math.comb(total, first) <= _ALL_ARRANGEMENTS:
        picks = np.array(list(combinations(range(total), first)))
    else:
        generator = np.random.default_rng(_SEED)
        picks = np.argsort(generator.random((_RANDOM_ARRANGEMENTS, total)), axis=1)[:, :first]
        picks[0] = np.arange(first)
    hands = np.zeros((len(picks), total))
    np.put_along_axis(hands, picks, 1.0, axis=1)
    return hands


def _without_rounding(values: Floats | np.float64) -> Floats:
    return np.where(np.abs(values) < _ROUNDING, 0.0, values)
