"""Where a run stands, for people who watch it."""

import time
from collections.abc import Callable, Iterable, Mapping

from edgeprof.plan import Plan
from edgeprof.run import PhaseKind, Progress
from edgeprof.telemetry import Channel
from edgeprof_agent.workload.readings import hottest_celsius, workload_resident_bytes
from edgeprof_agent.workload.schedule import Stage
from edgeprof_agent.workload.time_left import TimeLeft


class ProgressTracker:
    """Follows a run from stage to stage."""

    def __init__(
        self,
        plan: Plan,
        time_left: TimeLeft,
        *,
        run_id: str,
        job_id: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._time_left = time_left
        self._run_id = run_id
        self._job_id = job_id
        self._clock = clock
        self._begin = self._stage_begin = self._tokens_since = clock()
        self._stage = Stage(PhaseKind.GATE)
        self._tokens_per_second: float | None = None
        self._done_ratio = 0.0
        self._repetition_count = plan.repetitions

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._begin

    def begin_stage(self, stage: Stage) -> None:
        """Note that a stage begins."""
        self._stage = stage
        self._stage_begin = self._tokens_since = self._clock()
        self._tokens_per_second = None

    def finish_stage(self) -> None:
        """Note that the stage is done."""
        self._time_left.finish_stage(self._stage, self._clock() - self._stage_begin)

    def foresee(self, stages: Iterable[Stage], repetition_count: int) -> None:
        """Expect these stages in all, with so many repetitions."""
        self._time_left.foresee(stages)
        self._repetition_count = repetition_count

    def count_tokens(self, count: int) -> None:
        """Note that the engine has processed so many tokens since the last call, or since the stage began."""
        now = self._clock()
        self._tokens_per_second = count / max(now - self._tokens_since, 1e-6)
        self._tokens_since = now

    def progress(self, latest: Mapping[Channel, float]) -> Progress:
        """Say where the run stands. The share that is done never falls, even where an estimate is corrected."""
        spent_seconds = self._clock() - self._stage_begin
        self._done_ratio = max(self._done_ratio, self._time_left.done_ratio(self._stage, spent_seconds))
        step = self._stage.step
        return Progress(
            run_id=self._run_id,
            job_id=self._job_id,
            phase=self._stage.kind,
            step=self._plan.steps[step.step].name if step and self._stage.kind is PhaseKind.STEP else "",
            repetition=step.repetition if step else 0,
            repetition_count=self._repetition_count,
            done_ratio=self._done_ratio,
            elapsed_seconds=self.elapsed_seconds,
            remaining_seconds=self._time_left.seconds(self._stage, spent_seconds),
            tokens_per_second=self._tokens_per_second,
            temperature_celsius=hottest_celsius(latest),
            resident_bytes=workload_resident_bytes(latest),
        )
