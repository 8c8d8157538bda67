"""Answers made by hand: the verdict's counts, what is left out, and how two sides compare."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from edgeprof.plan import Plan, Step, StepKind, Variant
from edgeprof.run import StepRef, TaskAnswer, TaskAnswers
from edgeprof.task_set import TASK_SET_VERSION, TaskKind, make_tasks, prompts_sha256
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.gate import Outcome, read_limits, rule
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change, Comparison
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.soundness import sound_part
from edgeprof_collector.analysis.task_answers import TaskCount
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.report.fidelity_lines import tasks_lines
from tests.collector.analysis.sample_run import Scenario, sample_record

COUNT = 100
DECODE = Step(kind=StepKind.DECODE, name="decode 8", decode_tokens=8)
TASKS = Step(kind=StepKind.TASKS, name="tasks 100", tasks=COUNT)
PLAN = Plan(name="p", steps=(DECODE, TASKS), repetitions=6, variants=(Variant(name="first"), Variant(name="other")))


def answers(
    wrong: Collection[int] = (), *, variant: int = 0, step: int = 1, seed: int = 1, count: int = COUNT
) -> TaskAnswers:
    """All right but for the tasks at some places, which were answered with nothing."""
    tasks = make_tasks(seed, count)
    return TaskAnswers(
        run_id="run",
        step=StepRef(step=step, variant=variant, repetition=0),
        set_version=TASK_SET_VERSION,
        prompts_sha256=prompts_sha256(tasks),
        answers=tuple(
            TaskAnswer(
                kind=task.kind,
                question=task.question,
                expected=task.expected,
                text=" and so on" if place in wrong else f" {task.expected}\n",
            )
            for place, task in enumerate(tasks)
        ),
    )


def verdict_of(*answered: TaskAnswers) -> Verdict:
    return analyse(replace(sample_record(Scenario(plan=PLAN)), task_answers=answered), ())


def run_of(name: str, answered: TaskAnswers) -> RunData:
    plan = replace(PLAN, variants=PLAN.variants[:1])
    record = sample_record(Scenario(plan=plan))
    record = replace(record, started=replace(record.started, run_id=name), task_answers=(answered,))
    return RunData(verdict=analyse(record, ()), series=(), steps=plan.steps, task_answers=record.task_answers)


def compared(base: TaskAnswers, candidate: TaskAnswers) -> Comparison:
    return compare([run_of("base", base)], [run_of("candidate", candidate)])


def changed(base: TaskAnswers, candidate: TaskAnswers) -> Change:
    [change] = [each for each in compared(base, candidate).changes if each.subject.aspect is Aspect.FIDELITY]
    return change


def test_right_answers_are_counted_by_kind_and_wrong_ones_are_shown() -> None:
    first, other = verdict_of(answers({1}), answers(range(5), variant=1)).tasks
    assert first.counts == (
        TaskCount(kind=TaskKind.COUNTING, right=40, count=40),
        TaskCount(kind=TaskKind.ARITHMETIC, right=59, count=60),
    )
    assert (first.right, first.against_first) == (99, None)
    assert other.against_first is not None
    assert (other.against_first.lost, other.against_first.gained) == (4, 0)
    lines = tasks_lines(verdict_of(answers({1}), answers(range(5), variant=1)))
    assert lines[0] == "tasks 100, first: counting 40 of 40, arithmetic 59 of 60 right; wrong: 8 + 4 = nothing"
    assert lines[1] == (
        "tasks 100, other: counting 38 of 40, arithmetic 57 of 60 right; against first 4 lost, 0 gained; wrong: "
        "86, 87, 88, 89, nothing | 8 + 4 = nothing | 75, 74, 73, 72, nothing ..."
    )


def test_a_loss_that_is_no_chance_is_a_finding() -> None:
    def findings(lost: int) -> list[str]:
        found = verdict_of(answers(), answers(range(lost), variant=1)).findings
        return [each.title for each in found if each.name is FindingName.CHANGED_OUTPUT]

    assert findings(5) == []
    assert findings(6) == ["other answers fewer tasks right than first"]


def test_other_tasks_are_not_held_against_each_other() -> None:
    _, other = verdict_of(answers(), answers(range(50), variant=1, seed=2)).tasks
    assert other.against_first is None


def test_what_contradicts_the_plan_is_left_out_and_counted() -> None:
    wrong = (answers(step=0), answers(step=7), answers(variant=2), answers(count=COUNT - 1))
    record = replace(sample_record(Scenario(plan=PLAN)), task_answers=(answers(), *wrong))
    sound, count = sound_part(record)
    assert (sound.task_answers, count) == ((answers(),), len(wrong))


@pytest.mark.parametrize(
    ("base", "candidate", "answer"),
    [
        (range(0), range(6), Answer.WORSE),
        (range(6), range(0), Answer.BETTER),
        (range(50), range(50), Answer.NO_DIFFERENCE),
        (range(0), range(5), Answer.CANNOT_TELL),
        (range(6), range(3, 9), Answer.CANNOT_TELL),
    ],
)
def test_the_same_tasks_are_compared_as_pairs(base: range, candidate: range, answer: Answer) -> None:
    change = changed(answers(base), answers(candidate))
    assert change.answer is answer
    assert change.change_ratio == pytest.approx((len(base) - len(candidate)) / COUNT)
    assert change.base_median == 1 - len(base) / COUNT
    assert change.interval is not None
    assert change.change_ratio is not None
    assert change.interval.low <= change.change_ratio <= change.interval.high


def test_it_tells_what_was_lost_and_gained_and_what_could_be_seen() -> None:
    change = changed(answers(), answers(range(10)))
    assert change.reason == (
        "counting 40 of 40, arithmetic 60 of 60 -> counting 36 of 40, arithmetic 54 of 60: 10 lost, 0 gained"
    )
    assert change.smallest_visible_ratio == pytest.approx(0.078, abs=0.001)
    assert change.probability == pytest.approx(2**-9)


def test_where_hardly_any_is_right_nothing_can_be_told() -> None:
    change = changed(answers(range(95)), answers(range(95)))
    assert change.answer is Answer.CANNOT_TELL
    assert change.reason.endswith("; so few are right in the base that the loss of all of them could not be shown")


def test_other_tasks_cannot_be_compared() -> None:
    change = changed(answers(), answers(seed=2))
    assert change.answer is Answer.CANNOT_TELL
    assert change.reason == "other tasks were asked: the plans' seeds or the sets of tasks differ"


def test_fidelity_is_kept_by_gained_answers_broken_by_lost_ones_and_else_open() -> None:
    def outcome(base: range, candidate: range) -> Outcome:
        [ruling] = rule(compared(answers(base), answers(candidate)), read_limits("fidelity"))
        return ruling.outcome

    assert outcome(range(10), range(0)) is Outcome.KEPT
    assert outcome(range(0), range(0)) is Outcome.KEPT
    assert outcome(range(0), range(10)) is Outcome.BROKEN
    assert outcome(range(0), range(3)) is Outcome.CANNOT_TELL
