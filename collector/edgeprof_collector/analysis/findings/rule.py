"""What a rule is given, and what it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.fidelity import FidelityVerdict
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.task_answers import TasksVerdict
from edgeprof_collector.analysis.verdict import Finding, MemoryVerdict, StepVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A run with everything that was worked out of it before the findings."""

    record: RunRecord
    steps: tuple[StepVerdict, ...]
    memory: MemoryVerdict
    series: Sequence[Series]
    fidelity: tuple[FidelityVerdict, ...] = ()
    tasks: tuple[TasksVerdict, ...] = ()

    def step_of(self, step: int, variant: int) -> StepVerdict | None:
        """The verdict on a step of the plan with a variant; ``None`` if no repetition of it is known."""
        return next((each for each in self.steps if (each.step, each.variant) == (step, variant)), None)

    def title(self, step: StepVerdict) -> str:
        """The step's name, with its variant where the plan has several."""
        return f"{step.name} ({step.variant_name})" if len(self.record.started.plan.variants) > 1 else step.name


# A pure function; it answers nothing where the run is healthy or does not tell.
Rule = Callable[[Evidence], tuple[Finding, ...]]
