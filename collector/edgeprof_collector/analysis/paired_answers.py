"""Right and wrong answers of two sides to the same tasks: how many were lost and gained, and what that shows.

Only tasks that one side alone answers right tell anything of a difference (McNemar, Psychometrika 12, 1947).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from edgeprof_collector.analysis.thresholds import CHANGE_SIGNIFICANCE, VISIBLE_PROBABILITY

_BISECTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedAnswers:
    """Of ``task_count`` tasks the base answers ``base_right`` right; of these the other side has ``lost`` some.

    ``gained`` are those that it alone answers right.
    """

    task_count: int
    base_right: int
    lost: int
    gained: int

    @property
    def change(self) -> float:
        """The other side's share of right answers, less the base's."""
        return (self.gained - self.lost) / self.task_count

    def probability(self) -> float:
        """Of so uneven a loss and gain, or more so, if both were equally likely: the exact test, two-sided."""
        fewer, told_apart = min(self.lost, self.gained), self.lost + self.gained
        arrangements = sum(math.comb(told_apart, count) for count in range(fewer + 1))
        return min(1.0, 2 * arrangements / float(2**told_apart))

    def interval(self) -> tuple[float, float]:
        """Of ``change``, 95 %: Tango's score interval for paired shares (Statistics in Medicine 17, 1998)."""
        quantile = NormalDist().inv_cdf(1 - CHANGE_SIGNIFICANCE / 2)
        low = _root(lambda change: self._score(change) - quantile, -1.0, self.change)
        high = _root(lambda change: self._score(change) + quantile, self.change, 1.0)
        return low, high

    def smallest_visible_loss(self) -> float | None:
        """The share of all tasks that would be shown to be lost with a probability of 80 %, beside as many gains.

        Each right answer of the base is taken to be lost with the same probability. ``None`` if the loss of all of
        them could not be shown.
        """
        needed = next((lost for lost in range(self.base_right + 1) if self._would_show(lost)), None)
        if needed is None:
            return None
        each = _root(lambda lost: _at_least(needed, self.base_right, lost) - VISIBLE_PROBABILITY, 0.0, 1.0)
        return max(each * self.base_right - self.gained, 0.0) / self.task_count

    def _would_show(self, lost: int) -> bool:
        imagined = PairedAnswers(task_count=self.task_count, base_right=self.base_right, lost=lost, gained=self.gained)
        return lost > self.gained and imagined.probability() <= CHANGE_SIGNIFICANCE

    def _score(self, change: float) -> float:
        """How many standard errors lie between what was seen and this change; it falls as the change grows."""
        count, lost, gained = self.task_count, self.lost, self.gained
        linear = change * (2 * count + lost - gained) - lost - gained
        likeliest_loss = (math.sqrt(linear**2 + 8 * count * lost * change * (1 - change)) - linear) / (4 * count)
        variance = count * (2 * likeliest_loss + change * (1 - change))
        distance = gained - lost - count * change
        if variance <= 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / math.sqrt(variance)


def pair_answers(base: Sequence[bool], other: Sequence[bool]) -> PairedAnswers:
    """Pair what two sides answered to the same tasks: whether each answer is right, in the same order."""
    pairs = list(zip(base, other, strict=True))
    return PairedAnswers(
        task_count=len(pairs),
        base_right=sum(base),
        lost=sum(ours and not theirs for ours, theirs in pairs),
        gained=sum(theirs and not ours for ours, theirs in pairs),
    )


def _root(falls: Callable[[float], float], low: float, high: float) -> float:
    """Where a function changes its sign between two arguments, by halving what is between them."""
    sign = falls(low) > 0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if (falls(middle) > 0) is sign:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_least(needed: int, trials: int, each: float) -> float:
    """The probability that ``needed`` or more of the trials come true."""
    fewer = (math.comb(trials, count) * each**count * (1 - each) ** (trials - count) for count in range(needed))
    return 1 - sum(fewer)
