"""A model that can count, its damaged twin, and what a run and a comparison say of the two."""

from pathlib import Path

import pytest

from edgeprof.plan import Step, StepKind
from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.gate import Outcome, read_limits, rule
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change, Comparison
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.client.judging import run_data
from edgeprof_collector.report.fidelity_lines import tasks_lines
from tests.agent.engines.numerate_model import write_numerate_model

from .lab import SPOILT_ENGINE, Lab, Recorded, decode, plan_of

TWIN = {"spoilt": "takes the damaged twin"}
TASKS = Step(kind=StepKind.TASKS, name="tasks 100", tasks=100)


@pytest.fixture(scope="module")
def numerate(models: Path) -> str:
    write_numerate_model(models / "damaged.gguf", damaged=True)
    return str(write_numerate_model(models / "numerate.gguf"))


@pytest.fixture(scope="module")
def recorded(lab: Lab, numerate: str) -> Recorded:
    variants = {"sound": {}, "same": {}, "damaged": TWIN}
    return lab.run(plan_of(TASKS, decode(4), repetitions=2, variants=variants), model=numerate, engine=SPOILT_ENGINE)


def compared(recorded: Recorded, base: str, candidate: str) -> Comparison:
    return compare([run_data(recorded.record, (), base)], [run_data(recorded.record, (), candidate)])


def change_of(comparison: Comparison) -> Change:
    [change] = [each for each in comparison.changes if each.subject.aspect is Aspect.FIDELITY]
    return change


def test_lost_answers_are_found_and_the_healthy_twin_is_silent(recorded: Recorded) -> None:
    finding = recorded.the_one(FindingName.CHANGED_OUTPUT)
    assert finding.title == "damaged answers fewer tasks right than sound"
    assert finding.evidence.startswith("tasks 100: counting 40 of 40, arithmetic ")
    assert "its options differ in spoilt (no -> takes the damaged twin)" in finding.evidence
    sound, same, damaged = recorded.verdict.tasks
    assert (sound.against_first, sound.counts) == (None, same.counts)
    assert same.against_first is not None
    assert (same.against_first.lost, same.against_first.gained) == (0, 0)
    assert damaged.right < sound.right
    lines = tasks_lines(recorded.verdict)
    assert lines[0].startswith("tasks 100, sound: counting 40 of 40, arithmetic ")
    assert "; against sound 0 lost, 0 gained; wrong: " in lines[1]


def test_a_comparison_calls_the_damaged_twin_worse_and_the_same_weights_not(recorded: Recorded) -> None:
    worse = change_of(compared(recorded, "sound", "damaged"))
    assert (worse.answer, worse.base_count) == (Answer.WORSE, 100)
    assert worse.reason.startswith("counting 40 of 40, arithmetic ")
    assert " lost, 0 gained" in worse.reason
    same = change_of(compared(recorded, "sound", "same"))
    assert (same.answer, same.change_ratio) == (Answer.NO_DIFFERENCE, 0.0)
    better = change_of(compared(recorded, "damaged", "sound"))
    assert better.answer is Answer.BETTER


def test_fidelity_fails_on_lost_answers_alone(recorded: Recorded) -> None:
    def outcome(base: str, candidate: str) -> Outcome:
        [ruling] = rule(compared(recorded, base, candidate), read_limits("fidelity"))
        return ruling.outcome

    assert outcome("sound", "damaged") is Outcome.BROKEN
    assert outcome("sound", "same") is Outcome.KEPT
    assert outcome("damaged", "sound") is Outcome.KEPT


def test_what_was_gained_is_told_beside_the_answers_that_it_cost(lab: Lab, numerate: str) -> None:
    variants = {"slow": {"spoilt": "works four times"}, "fast": TWIN}
    plan = plan_of(TASKS, decode(48), repetitions=8, variants=variants)
    finding = lab.run(plan, model=numerate, engine=SPOILT_ENGINE).the_one(FindingName.CHANGED_OUTPUT)
    assert "what it gains must be weighed against that: decode 48 @ 0 writes " in finding.evidence


def test_a_run_may_ask_tasks_alone_and_keeps_kilobytes(lab: Lab, numerate: str) -> None:
    recorded = lab.run(plan_of(TASKS, repetitions=3), model=numerate)
    [answered] = recorded.record.task_answers
    assert sum(len(each.question) + len(each.text) for each in answered.answers) < 5_000
    assert recorded.verdict.steps == ()
