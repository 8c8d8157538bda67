"""How many of the small tasks of a tasks step each variant answers right, and how many the first one alone does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeprof.run import RunRecord, TaskAnswer, TaskAnswers
from edgeprof.task_set import TaskKind, answered_number, is_right
from edgeprof_collector.analysis.paired_answers import PairedAnswers, pair_answers


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCount:
    """The tasks of one kind, and how many of them were answered right."""

    kind: TaskKind
    right: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """A task and what became of it. ``answered`` is the number that was read, empty where there was none."""

    kind: TaskKind
    question: str
    expected: int
    answered: str
    text: str
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksVerdict:
    """What one variant answered in one tasks step. ``step`` and ``variant`` are indices.

    ``against_first`` holds it against the plan's first variant; ``None`` of that itself, and where the two were asked
    other tasks.
    """

    step: int
    variant: int
    step_name: str
    variant_name: str
    reference_name: str
    counts: tuple[TaskCount, ...]
    outcomes: tuple[TaskOutcome, ...]
    against_first: PairedAnswers | None = None

    @property
    def right(self) -> int:
        """Of all kinds."""
        return sum(each.right for each in self.counts)


def tasks_verdicts(record: RunRecord) -> tuple[TasksVerdict, ...]:
    """Each variant in each tasks step that it has done. ``record`` is sound."""
    plan = record.started.plan
    answered = {(each.step.step, each.step.variant): each for each in record.task_answers}
    return tuple(
        TasksVerdict(
            step=step,
            variant=variant,
            step_name=plan.steps[step].name,
            variant_name=plan.variants[variant].name,
            reference_name=plan.variants[0].name,
            counts=task_counts(found.answers),
            outcomes=tuple(_outcome(each) for each in found.answers),
            against_first=_against(answered.get((step, 0)), found) if variant else None,
        )
        for (step, variant), found in sorted(answered.items())
    )


def task_counts(answers: Sequence[TaskAnswer]) -> tuple[TaskCount, ...]:
    """How many were right, for each kind that there is."""
    return tuple(_counts(answers))


def counts_text(counts: Sequence[TaskCount]) -> str:
    """As in ``counting 18 of 20, arithmetic 25 of 30``."""
    return ", ".join(f"{each.kind.value} {each.right} of {each.count}" for each in counts)


def rights(answered: TaskAnswers) -> list[bool]:
    """Whether each answer is right."""
    return [is_right(each.text, each.expected) for each in answered.answers]


def same_tasks(one: TaskAnswers, other: TaskAnswers) -> bool:
    """Whether both were asked the same, and their answers are read alike."""
    return (one.set_version, one.prompts_sha256) == (other.set_version, other.prompts_sha256)


def _counts(answers: Sequence[TaskAnswer]) -> Iterator[TaskCount]:
    for kind in TaskKind:
        own = [is_right(each.text, each.expected) for each in answers if each.kind is kind]
        if own:
            yield TaskCount(kind=kind, right=sum(own), count=len(own))


def _outcome(answer: TaskAnswer) -> TaskOutcome:
    return TaskOutcome(
        kind=answer.kind,
        question=answer.question,
        expected=answer.expected,
        answered=answered_number(answer.text),
        text=answer.text,
        right=is_right(answer.text, answer.expected),
    )


def _against(reference: TaskAnswers | None, other: TaskAnswers) -> PairedAnswers | None:
    if reference is None or not same_tasks(reference, other) or len(reference.answers) != len(other.answers):
        return None
    return pair_answers(rights(reference), rights(other))
