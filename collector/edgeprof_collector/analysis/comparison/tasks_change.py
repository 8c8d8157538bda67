"""Whether the candidate answers the same small tasks as well as the base does, task by task."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeprof.plan import Step
from edgeprof.run import TaskAnswers
from edgeprof_collector.analysis.comparison.correction import holm
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change, Method, Subject
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.paired_answers import PairedAnswers, pair_answers
from edgeprof_collector.analysis.task_answers import counts_text, rights, same_tasks, task_counts
from edgeprof_collector.analysis.thresholds import CHANGE_SIGNIFICANCE, TASKS_NO_DIFFERENCE_RATIO
from edgeprof_collector.analysis.verdict import Interval


@dataclass(frozen=True, slots=True)
class _Asked:
    """A change that is still to be judged; ``paired`` is ``None`` where the sides were asked other tasks."""

    change: Change
    paired: PairedAnswers | None


def tasks_changes(base: Sequence[RunData], candidate: Sequence[RunData], *, by_variant: bool) -> tuple[Change, ...]:
    """A change for each tasks step and variant that both sides have, from the first run of each side that has it.

    A model always answers the same task alike. What is uncertain is how far the change would be that of other tasks of
    these kinds. Probabilities are corrected for the number of such changes.
    """
    ours, theirs = (_answered(side, by_variant=by_variant) for side in (base, candidate))
    asked = [_pair(*key, ours[key], theirs[key]) for key in ours if key in theirs]
    tested = [each.paired for each in asked if each.paired is not None]
    corrected = iter(holm([paired.probability() for paired in tested]))
    return tuple(
        each.change if each.paired is None else _judge(each.change, each.paired, next(corrected)) for each in asked
    )


def _answered(side: Sequence[RunData], *, by_variant: bool) -> dict[tuple[Step, str], TaskAnswers]:
    """What was answered, by step as its plan has it and by the variant's name."""
    found: dict[tuple[Step, str], TaskAnswers] = {}
    for run in side:
        for name, answered in run.answers():
            if name in run.variants:
                found.setdefault((run.steps[answered.step.step], name if by_variant else ""), answered)
    return found


def _pair(step: Step, variant: str, base: TaskAnswers, candidate: TaskAnswers) -> _Asked:
    sides = [rights(base), rights(candidate)]
    change = Change(
        subject=Subject(
            aspect=Aspect.FIDELITY, title="tasks answered right", unit="ratio", step=step.name, variant=variant
        ),
        base_median=sum(sides[0]) / len(sides[0]),
        candidate_median=sum(sides[1]) / len(sides[1]),
        base_count=len(sides[0]),
        candidate_count=len(sides[1]),
        method=Method.TASKS,
        answer=Answer.CANNOT_TELL,
    )
    if not same_tasks(base, candidate) or len(sides[0]) != len(sides[1]):
        return _Asked(
            replace(change, reason="other tasks were asked: the plans' seeds or the sets of tasks differ"), None
        )
    paired = pair_answers(*sides)
    reason = (
        f"{counts_text(task_counts(base.answers))} -> {counts_text(task_counts(candidate.answers))}: "
        f"{paired.lost} lost, {paired.gained} gained"
    )
    return _Asked(replace(change, reason=reason), paired)


def _judge(change: Change, paired: PairedAnswers, probability: float) -> Change:
    interval = Interval(*paired.interval())
    visible = paired.smallest_visible_loss()
    answer, reason = Answer.CANNOT_TELL, change.reason
    if probability <= CHANGE_SIGNIFICANCE:
        answer = Answer.WORSE if paired.lost > paired.gained else Answer.BETTER
    elif visible is None:
        reason += "; so few are right in the base that the loss of all of them could not be shown"
    elif max(-interval.low, interval.high) <= TASKS_NO_DIFFERENCE_RATIO:
        answer = Answer.NO_DIFFERENCE
    else:
        reason += "; more tasks could tell"
    return replace(
        change,
        change_ratio=paired.change,
        interval=interval,
        smallest_visible_ratio=visible,
        probability=probability,
        answer=answer,
        reason=reason,
    )
