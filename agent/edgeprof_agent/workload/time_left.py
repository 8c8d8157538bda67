"""How long the rest of a run will take."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from statistics import median

from edgeprof.run import PhaseKind
from edgeprof_agent.workload.schedule import Stage


class TimeLeft:
    """How long each stage will take, and so how much of the run is done.

    At first that is an estimate. As soon as a stage of the same kind, step and variant has been measured, it is the
    median of those; and what was measured of other steps corrects the estimate of a step that was not.
    """

    def __init__(self, stages: Iterable[Stage], estimate_seconds: Callable[[Stage], float]) -> None:
        self._estimate_seconds = estimate_seconds
        self._left: Counter[Stage] = Counter()
        self._done: Counter[Stage] = Counter()
        self._measured: dict[Stage, list[float]] = defaultdict(list)
        self._errors: list[float] = []
        self.foresee(stages)

    def foresee(self, stages: Iterable[Stage]) -> None:
        """Expect these stages in all, those that are done included."""
        self._left = Counter(_sort(stage) for stage in stages)
        self._left.subtract(self._done)

    def finish_stage(self, stage: Stage, seconds: float) -> None:
        """Take a stage as done; it took so long."""
        sort = _sort(stage)
        self._left[sort] -= 1
        self._done[sort] += 1
        self._measured[sort].append(seconds)
        estimate = self._estimate_seconds(sort)
        if sort.kind is PhaseKind.STEP and estimate > 0:
            self._errors.append(seconds / estimate)

    def seconds(self, current: Stage, spent_seconds: float) -> float:
        """Seconds until the end, when so many have been spent on the current stage."""
        return self._total(self._left) - self._spent(current, spent_seconds)

    def done_ratio(self, current: Stage, spent_seconds: float) -> float:
        """Share of the work that is done, when so many seconds have been spent on the current stage."""
        done, left = self._total(self._done), self._total(self._left)
        return (done + self._spent(current, spent_seconds)) / (done + left) if done + left > 0 else 1.0

    def _spent(self, current: Stage, spent_seconds: float) -> float:
        """What of the current stage's expected time is over. A stage that takes longer has nothing left."""
        return min(spent_seconds, self._expected_seconds(_sort(current))) if self._left[_sort(current)] else 0.0

    def _total(self, stages: Counter[Stage]) -> float:
        return sum(count * self._expected_seconds(sort) for sort, count in stages.items())

    def _expected_seconds(self, sort: Stage) -> float:
        if measured := self._measured.get(sort):
            return median(measured)
        correction = median(self._errors) if self._errors and sort.kind is PhaseKind.STEP else 1.0
        return self._estimate_seconds(sort) * correction


def _sort(stage: Stage) -> Stage:
    """A stage that stands for all that take about as long: those of the same kind, step and variant."""
    return Stage(stage.kind, replace(stage.step, repetition=0)) if stage.step else stage
