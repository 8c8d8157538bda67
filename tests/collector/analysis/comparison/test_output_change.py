"""What two sides say, held against each other: through the comparison and its gate."""

import math
from dataclasses import replace

import pytest

from edgeprof.plan import Plan, Step, StepKind
from edgeprof.run import NextTokens, StepRef
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.gate import Outcome, read_limits, rule
from edgeprof_collector.analysis.comparison.regression import regression
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change, Comparison
from edgeprof_collector.analysis.comparison.side import RunData
from tests.collector.analysis.sample_run import Scenario, sample_record

TOKENS = 200
DECODE = Step(kind=StepKind.DECODE, name="decode 8", decode_tokens=8)
FIDELITY = Step(kind=StepKind.FIDELITY, name="fidelity", prompt_tokens=TOKENS, top_count=2)
PLAN = Plan(name="p", steps=(DECODE, FIDELITY), repetitions=6)


def run_of(name: str, moved: int, *, likeliest: float = 0.6, seed: int = 1) -> RunData:
    """A run of which the first ``moved`` distributions have their two likeliest tokens the other way round."""
    second = 0.9 - likeliest
    rows = [(1, likeliest), (2, second)]
    swapped = [(2, likeliest), (1, second)]
    kept = [pair for place in range(TOKENS) for pair in (swapped if place < moved else rows)]
    record = sample_record(Scenario(plan=PLAN))
    record = replace(
        record,
        started=replace(record.started, run_id=name),
        next_tokens=(
            NextTokens(
                run_id=name,
                step=StepRef(step=1, variant=0, repetition=0),
                top_count=2,
                token_ids=tuple(token for token, _ in kept),
                log_probabilities=tuple(math.log(probability) for _, probability in kept),
            ),
        ),
    )
    return RunData(verdict=analyse(record, ()), series=(), steps=PLAN.steps, seed=seed, next_tokens=record.next_tokens)


def fidelity_of(comparison: Comparison) -> Change:
    [change] = [each for each in comparison.changes if each.subject.aspect is Aspect.FIDELITY]
    return change


def test_the_same_output_is_no_difference() -> None:
    change = fidelity_of(compare([run_of("base", 0)], [run_of("candidate", 0)]))
    assert (change.answer, change.change_ratio, change.base_count) == (Answer.NO_DIFFERENCE, 0.0, TOKENS)
    assert change.reason.startswith("KL divergence 0 nats per token, less than")


def test_another_output_is_worse_with_the_share_that_moved_and_its_interval() -> None:
    change = fidelity_of(compare([run_of("base", 0)], [run_of("candidate", 50)]))
    assert change.answer is Answer.WORSE
    assert (change.base_median, change.candidate_median) == (1.0, 0.75)
    # Wilson's interval of 150 out of 200.
    assert change.interval is not None
    assert change.interval.low == pytest.approx(0.6857 - 1, abs=1e-3)
    assert change.interval.high == pytest.approx(0.8050 - 1, abs=1e-3)
    assert change.reason.startswith("KL divergence 0.052 nats per token, at least")


def test_near_ties_that_fall_the_other_way_are_no_other_output() -> None:
    base, candidate = (run_of(name, moved, likeliest=0.451) for name, moved in (("base", 0), ("candidate", 50)))
    change = fidelity_of(compare([base], [candidate]))
    assert (change.answer, change.candidate_median) == (Answer.NO_DIFFERENCE, 0.75)


@pytest.mark.parametrize(("moved", "outcome"), [(0, Outcome.KEPT), (50, Outcome.BROKEN)])
def test_the_gate_fails_on_another_output(moved: int, outcome: Outcome) -> None:
    comparison = compare([run_of("base", 0)], [run_of("candidate", moved)])
    [ruling] = rule(comparison, read_limits("fidelity"))
    assert ruling.outcome is outcome


def test_other_tokens_cannot_be_told() -> None:
    comparison = compare([run_of("base", 0)], [run_of("candidate", 0, seed=2)])
    assert fidelity_of(comparison).answer is Answer.CANNOT_TELL
    [ruling] = rule(comparison, read_limits("fidelity"))
    assert ruling.outcome is Outcome.CANNOT_TELL


def test_a_run_that_says_something_else_is_worse_than_its_baseline() -> None:
    base, candidate = run_of("base", 0), run_of("candidate", 100)
    [finding] = regression(base, candidate)
    assert "fidelity: same likeliest token -50.0%" in finding.evidence
