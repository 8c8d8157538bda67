"""How long a whole plan should take."""

from edgeprof.plan import Plan
from edgeprof_agent.workload.repetition_goal import RepetitionGoal
from edgeprof_agent.workload.schedule import schedule
from edgeprof_agent.workload.stage_estimate import StageEstimate


def plan_seconds(plan: Plan, estimate: StageEstimate) -> tuple[float, float]:
    """Return the seconds that are foreseen, and those with as many repetitions as the plan allows."""
    repetition_seconds = max(estimate.repetition_seconds(), 1e-3)
    foreseen = RepetitionGoal(plan, repetition_seconds).foreseen
    most = plan.repetitions
    if plan.until:
        in_time = int(plan.until.most_seconds / repetition_seconds) + 1
        most = min(plan.until.most_repetitions, max(plan.repetitions, in_time))
    return _seconds(plan, estimate, foreseen), _seconds(plan, estimate, most)


def _seconds(plan: Plan, estimate: StageEstimate, repetitions: int) -> float:
    stages = schedule(plan, side_by_side=True, goes_on=lambda repetition: repetition < repetitions)
    return sum(estimate.seconds(stage) for stage in stages)
