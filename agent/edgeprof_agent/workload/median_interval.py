"""The 95 % interval of a median, without numpy, which the agent has no room for."""

from bisect import bisect_left
from collections.abc import Sequence
from math import exp, lgamma, log, log1p
from statistics import median

_TAIL = 0.025


def interval_ratio(values: Sequence[float]) -> float:
    """Return the width of the median's 95 % interval as a share of the median.

    It is the percentile bootstrap's, of which the report draws resamples, in closed form: the k-th smallest of n
    resampled values is at most the j-th smallest value with the probability that a binomial variable of n draws at
    j/n is k or more. With an even number the interval is that of both middle values, and so a little wider.
    """
    ordered = sorted(values)
    count = len(ordered)
    low = ordered[_place((count + 1) // 2, count, _TAIL)]
    high = ordered[_place(count // 2 + 1, count, 1 - _TAIL)]
    return (high - low) / median(ordered)


def _place(rank: int, count: int, probability: float) -> int:
    """Where among the values the ``rank``-th smallest of a resample lies with this probability, or below."""
    return bisect_left(range(count), probability, key=lambda place: _at_least(rank, count, (place + 1) / count))


def _at_least(successes: int, draws: int, chance: float) -> float:
    """The probability of so many successes or more. In logarithms, for the terms of a thousand draws fit no float."""
    if chance >= 1:
        return 1.0
    return sum(
        exp(
            lgamma(draws + 1)
            - lgamma(hits + 1)
            - lgamma(draws - hits + 1)
            + hits * log(chance)
            + (draws - hits) * log1p(-chance)
        )
        for hits in range(successes, draws + 1)
    )
