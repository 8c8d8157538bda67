"""How long each stage of a run should take, before anything was measured."""

from dataclasses import replace

from edgeprof.plan import Plan, Step
from edgeprof.run import ModelFacts, PhaseKind
from edgeprof_agent.models.choice import estimate_seconds
from edgeprof_agent.workload.schedule import Stage

_UNKNOWN_BYTES_PER_SECOND = 20e9
_LOAD_BYTES_PER_SECOND = 500e6
_CEILING_SECONDS = 2.2


class StageEstimate:
    """Estimates from a plan, a model and the memory bandwidth; something usual is assumed until that is known."""

    def __init__(self, plan: Plan, model: ModelFacts, physical_cores: int, read_bytes_per_second: float | None) -> None:
        self._plan = plan
        self._model = model
        self._physical_cores = physical_cores
        self._seconds_of_step: list[float]
        self.use_bandwidth(read_bytes_per_second or _UNKNOWN_BYTES_PER_SECOND)

    def use_bandwidth(self, read_bytes_per_second: float) -> None:
        """Estimate with this bandwidth from now on."""
        self._seconds_of_step = [self._step_seconds(step, read_bytes_per_second) for step in self._plan.steps]

    def repetition_seconds(self) -> float:
        """Seconds that one repetition of every step of every variant should take."""
        return sum(self._seconds_of_step) * len(self._plan.variants)

    def seconds(self, stage: Stage) -> float:
        """Seconds that a stage should take. Waiting at the gate is not foreseen."""
        if stage.kind is PhaseKind.STEP and stage.step:
            return self._seconds_of_step[stage.step.step]
        return {
            PhaseKind.CEILING: _CEILING_SECONDS,
            PhaseKind.LOAD: self._model.file_bytes / _LOAD_BYTES_PER_SECOND,
            PhaseKind.REST: self._plan.rest_seconds,
            PhaseKind.WARM_UP: max(self._seconds_of_step),
        }.get(stage.kind, 0.0)

    def _step_seconds(self, step: Step, read_bytes_per_second: float) -> float:
        """What one more repetition of the step adds to a plan of it alone."""
        once, twice = (
            estimate_seconds(
                self._model,
                replace(self._plan, steps=(step,), variants=self._plan.variants[:1], repetitions=repetitions),
                read_bytes_per_second,
                self._physical_cores,
            )
            for repetitions in (1, 2)
        )
        return twice - once
