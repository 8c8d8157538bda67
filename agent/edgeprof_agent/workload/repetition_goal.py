"""Whether a run has repeated its steps often enough."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import mean, median

from edgeprof.plan import Plan
from edgeprof.run import StepRef
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.median_interval import interval_ratio

# Common run-to-run noise of a rate is 1 to 2 %; sensors of temperature tell whole degrees.
_SETTLED_RATE_RATIO = 0.02
_SETTLED_CELSIUS = 1.0
_LEAST_IN_HALF = 2
_MOST_GROWTH = 2.0

_Key = tuple[int, int]


class RepetitionGoal:
    """Looks at what each repetition took, and says whether another is to follow.

    The rate of a repetition is one by the time of its requests, whose tokens are the same each time.
    """

    def __init__(self, plan: Plan, expected_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``expected_seconds``: what a repetition of everything should take, until one was seen."""
        self._plan = plan
        self._expected_seconds = expected_seconds
        self._clock = clock
        self._begin: float | None = None
        self._begun = 0
        self._rates: dict[_Key, list[tuple[float, float]]] = defaultdict(list)
        self._celsius: list[tuple[float, float]] = []
        self._foreseen = self._foresee()

    def goes_on(self, repetition: int) -> bool:
        """Whether this repetition is to be done; asked of each in turn, when those before it are done."""
        if self._begin is None:
            self._begin = self._clock()
        wanted = repetition < self._plan.repetitions or self._wants_more(repetition)
        self._begun = repetition + 1 if wanted else repetition
        self._foreseen = self._foresee()
        return wanted

    def note(self, ref: StepRef, requests: Sequence[RequestTimes], celsius: float | None) -> None:
        """Take in what a repetition of a step took, and how hot the device was at its end."""
        if not self._plan.steps[ref.step].kind.is_timed:
            return
        now = self._clock()
        start_ns = min(request.start_monotonic_ns for request in requests)
        end_ns = max(request.end_monotonic_ns for request in requests)
        self._rates[ref.step, ref.variant].append((now, 1e9 / max(end_ns - start_ns, 1)))
        if celsius is not None:
            self._celsius.append((now, celsius))

    @property
    def foreseen(self) -> int:
        """How many repetitions there will be, as far as could be seen when the last one began."""
        return self._foreseen

    def _foresee(self) -> int:
        until = self._plan.until
        if until is None:
            return self._plan.repetitions
        wanted = float(self._plan.repetitions)
        if until.interval_ratio is not None and self._begun > self._plan.repetitions:
            # An interval narrows with the root of the number; of few values its width says little.
            widest = max(interval_ratio([rate for _, rate in rates]) for rates in self._rates.values())
            wanted = self._begun * min((widest / until.interval_ratio) ** 2, _MOST_GROWTH)
        elif until.interval_ratio is not None:  # between the fewest and the most, as many times one as the other
            wanted = round(math.sqrt(self._plan.repetitions * until.most_repetitions))
        if until.settled_seconds is not None:
            wanted = max(wanted, until.settled_seconds / self._repetition_seconds)
        wanted = min(wanted, until.most_repetitions, until.most_seconds // self._repetition_seconds + 1)
        return max(math.ceil(wanted), self._plan.repetitions, self._begun)

    @property
    def _repetition_seconds(self) -> float:
        done = self._begun - 1
        if self._begin is None or done < 1:
            return max(self._expected_seconds, 1e-3)
        return max((self._clock() - self._begin) / done, 1e-3)

    def _wants_more(self, repetition: int) -> bool:
        until = self._plan.until
        assert self._begin is not None
        if until is None or repetition >= until.most_repetitions:
            return False
        if self._clock() - self._begin >= until.most_seconds:
            return False
        sure = until.interval_ratio is None or self._is_sure(until.interval_ratio)
        return not (sure and (until.settled_seconds is None or self._is_settled(until.settled_seconds)))

    def _is_sure(self, wanted_ratio: float) -> bool:
        return all(interval_ratio([rate for _, rate in rates]) <= wanted_ratio for rates in self._rates.values())

    def _is_settled(self, seconds: float) -> bool:
        """Whether the halves of the last ``seconds`` are alike, in every rate and in temperature."""
        end = self._clock()
        assert self._begin is not None
        if end - self._begin < seconds:
            return False
        for rates in self._rates.values():
            earlier, later = _halves(rates, end, seconds)
            if min(len(earlier), len(later)) < _LEAST_IN_HALF:
                return False
            if abs(median(later) / median(earlier) - 1) > _SETTLED_RATE_RATIO:
                return False
        earlier, later = _halves(self._celsius, end, seconds)
        return not earlier or not later or abs(mean(later) - mean(earlier)) <= _SETTLED_CELSIUS


def _halves(samples: Sequence[tuple[float, float]], end: float, seconds: float) -> tuple[list[float], list[float]]:
    """The values of the last ``seconds`` before ``end``, those of the first half of that time apart."""
    earlier = [value for at, value in samples if end - seconds <= at < end - seconds / 2]
    return earlier, [value for at, value in samples if end - seconds / 2 <= at]
