"""Which of an ordered row of builds is the first to be slower: a binary search that measures, and may not tell.

Every build is held against the first, in interleaved pairs. A change that lies nearer to that of the last build than to
none belongs to the slow ones; the row is taken to change for the worse once.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change, Subject
from edgeprof_collector.analysis.comparison.side import RunData

# A run of two variants: the first build's, and that of the build under trial.
Pair = tuple[RunData, RunData]
# Measures a build, by its index in the row, beside the first.
Measure = Callable[[int], Pair]


class Conclusion(str, Enum):
    """How a search ended."""

    FOUND = "found"
    NONE_SLOWER = "none is slower"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A build, by its index, held against the first, as it stood after all of its measurements."""

    index: int
    change: Change
    is_slower: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a search found. The first slower build lies after ``last_good``, and at ``first_bad`` at the latest.

    The two are neighbours when it was found; ``None`` where no build was shown to be slower.
    """

    conclusion: Conclusion
    last_good: int
    first_bad: int | None
    trials: tuple[Trial, ...]


def search(count: int, measure: Measure, aspect: Aspect, attempts: int) -> Search:
    """Search ``count`` builds, at least two; each is measured up to ``attempts`` times until it can be told."""
    last = _hold_last_against_first(count - 1, measure, aspect, attempts)
    if not last.is_slower:
        conclusion = Conclusion.CANNOT_TELL if last.is_slower is None else Conclusion.NONE_SLOWER
        return Search(conclusion=conclusion, last_good=0, first_bad=None, trials=(last,))
    limit = math.log1p(last.change.change_ratio or 0.0) / 2
    trials = [last]
    good, bad = 0, count - 1
    while bad - good > 1:
        trial = _try((good + bad) // 2, measure, last.change.subject, limit, attempts)
        trials.append(trial)
        if trial.is_slower is None:
            return Search(conclusion=Conclusion.CANNOT_TELL, last_good=good, first_bad=bad, trials=tuple(trials))
        if trial.is_slower:
            bad = trial.index
        else:
            good = trial.index
    return Search(conclusion=Conclusion.FOUND, last_good=good, first_bad=bad, trials=tuple(trials))


def _hold_last_against_first(index: int, measure: Measure, aspect: Aspect, attempts: int) -> Trial:
    """Whether the last build is slower at all, and in which figure the most."""
    pairs: list[Pair] = []
    while True:
        pairs.append(measure(index))
        changes = _changes(pairs, lambda subject: subject.aspect is aspect)
        worst = max(changes, key=lambda change: (change.answer is Answer.WORSE, abs(change.change_ratio or 0.0)))
        if worst.answer is Answer.WORSE:
            return Trial(index=index, change=worst, is_slower=True)
        if all(change.answer in (Answer.NO_DIFFERENCE, Answer.BETTER) for change in changes):
            return Trial(index=index, change=worst, is_slower=False)
        if len(pairs) == attempts:
            return Trial(index=index, change=worst, is_slower=None)


def _try(index: int, measure: Measure, subject: Subject, limit: float, attempts: int) -> Trial:
    """On which side of ``limit``, the logarithm of a change, a build lies; ``None`` while its interval holds that."""
    pairs: list[Pair] = []
    while True:
        pairs.append(measure(index))
        (change,) = _changes(pairs, lambda each: each == subject)
        is_slower = None
        if change.interval is not None:
            low, high = math.log1p(change.interval.low), math.log1p(change.interval.high)
            if not low <= limit <= high:
                is_slower = (high < limit) is (limit < 0)
        if is_slower is not None or len(pairs) == attempts:
            return Trial(index=index, change=change, is_slower=is_slower)


def _changes(pairs: Sequence[Pair], wanted: Callable[[Subject], bool]) -> list[Change]:
    comparison = compare([first for first, _ in pairs], [second for _, second in pairs])
    return [change for change in comparison.changes if wanted(change.subject)]
