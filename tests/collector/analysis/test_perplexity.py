"""Perplexities of hand-made windows: the verdict's, what is left out, and how two sides compare."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from edgeprof.plan import Plan, Step, StepKind, Variant
from edgeprof.run import StepRef, TextScore
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.gate import Outcome, read_limits, rule
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.soundness import sound_part
from edgeprof_collector.report.fidelity_lines import perplexity_lines
from tests.collector.analysis.sample_run import Scenario, sample_record

DECODE = Step(kind=StepKind.DECODE, name="decode 8", decode_tokens=8)
TEXT = Step(kind=StepKind.PERPLEXITY, name="perplexity", prompt_tokens=65, windows=8, text="/a/text")
PLAN = Plan(name="p", steps=(DECODE, TEXT), repetitions=6, variants=(Variant(name="first"), Variant(name="other")))
WINDOWS = (2.0, 2.5, 3.0, 2.25, 2.75, 2.5, 2.4, 2.6)


def score(nats: Sequence[float] = WINDOWS, *, variant: int = 0, step: int = 1, sha256: str = "ab" * 32) -> TextScore:
    reference = StepRef(step=step, variant=variant, repetition=0)
    return TextScore(run_id="run", step=reference, text_sha256=sha256, window_nats=tuple(nats))


def run_of(name: str, found: TextScore, *, text: str = "/a/text") -> RunData:
    plan = replace(PLAN, steps=(DECODE, replace(TEXT, text=text)), variants=PLAN.variants[:1])
    record = sample_record(Scenario(plan=plan))
    record = replace(record, started=replace(record.started, run_id=name), text_scores=(found,))
    return RunData(verdict=analyse(record, ()), series=(), steps=plan.steps, text_scores=record.text_scores)


def changed(base: RunData, candidate: RunData) -> Change:
    comparison = compare([base], [candidate], across=base.steps != candidate.steps)
    [change] = [each for each in comparison.changes if each.subject.aspect is Aspect.PERPLEXITY]
    return change


def shifted(by: float) -> tuple[float, ...]:
    return tuple(each + by + 0.0001 * place for place, each in enumerate(WINDOWS))


def test_it_is_exp_of_the_mean_over_all_scored_tokens() -> None:
    others = score([each + 0.02 for each in WINDOWS], variant=1)
    verdict = analyse(replace(sample_record(Scenario(plan=PLAN)), text_scores=(score(), others)), ())
    first, other = verdict.perplexity
    assert first.perplexity == pytest.approx(math.exp(2.5))
    assert (first.lowest, first.highest) == (math.exp(2.0), math.exp(3.0))
    assert (first.window_count, first.token_count, first.change_ratio) == (8, 8 * 32, None)
    assert other.change_ratio == pytest.approx(math.exp(0.02) - 1)
    assert perplexity_lines(verdict) == (
        "perplexity, first: 12.182 over 256 tokens in 8 windows (7.3891 to 20.086)",
        "perplexity, other: 12.429 over 256 tokens in 8 windows (7.5383 to 20.491), +2.02 % against first",
    )


def test_what_no_float_holds_is_told_as_more_than_any_guess() -> None:
    others = score([5000.0] * 8, variant=1)
    verdict = analyse(replace(sample_record(Scenario(plan=PLAN)), text_scores=(score(), others)), ())
    assert verdict.perplexity[1].perplexity == pytest.approx(1e12)
    assert verdict.perplexity[1].change_ratio == pytest.approx(1e12)
    change = changed(run_of("base", score()), run_of("candidate", score([5000.0] * 8)))
    assert change.answer is Answer.WORSE
    assert change.change_ratio == pytest.approx(1e12)


def test_other_texts_are_not_held_against_each_other() -> None:
    others = score(variant=1, sha256="cd" * 32)
    verdict = analyse(replace(sample_record(Scenario(plan=PLAN)), text_scores=(score(), others)), ())
    assert [each.change_ratio for each in verdict.perplexity] == [None, None]


def test_what_contradicts_the_plan_is_left_out_and_counted() -> None:
    wrong = (
        score(step=0),
        score(step=7),
        score(()),
        score(WINDOWS * 2),
        score((-1.0,)),
        score((math.inf,)),
        score((math.nan,)),
    )
    record = replace(sample_record(Scenario(plan=PLAN)), text_scores=(score(), *wrong))
    sound, count = sound_part(record)
    assert (sound.text_scores, count) == ((score(),), len(wrong))


@pytest.mark.parametrize(
    ("by", "answer"), [(0.05, Answer.WORSE), (-0.05, Answer.BETTER), (0.001, Answer.NO_DIFFERENCE)]
)
def test_windows_are_compared_as_pairs(by: float, answer: Answer) -> None:
    change = changed(run_of("base", score()), run_of("candidate", score(shifted(by)), text="/another/place"))
    assert change.answer is answer
    assert change.base_median == pytest.approx(math.exp(2.5))
    assert change.change_ratio == pytest.approx(math.expm1(by), abs=1e-3)
    assert change.interval is not None
    assert change.change_ratio is not None
    assert change.interval.low <= change.change_ratio <= change.interval.high


def test_what_differs_in_both_directions_cannot_be_told() -> None:
    mixed = [each + 0.1 * (-1) ** place for place, each in enumerate(WINDOWS)]
    assert changed(run_of("base", score()), run_of("candidate", score(mixed))).answer is Answer.CANNOT_TELL


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (score(sha256="cd" * 32), "another text, or other tokens of it: the files or the vocabularies differ"),
        (score(WINDOWS[:7]), "another text, or other tokens of it: the files or the vocabularies differ"),
    ],
)
def test_other_texts_cannot_be_compared(found: TextScore, reason: str) -> None:
    change = changed(run_of("base", score()), run_of("candidate", found))
    assert (change.answer, change.reason, change.change_ratio) == (Answer.CANNOT_TELL, reason, None)


def test_few_windows_say_nothing_of_other_texts() -> None:
    change = changed(run_of("base", score(WINDOWS[:5])), run_of("candidate", score(shifted(1.0)[:5])))
    assert (change.answer, change.reason) == (Answer.CANNOT_TELL, "windows: 5, where at least 6 are needed")


def test_a_limit_fails_when_it_rises() -> None:
    comparison = compare([run_of("base", score())], [run_of("candidate", score(shifted(0.05)))])
    limits = read_limits("perplexity,perplexity:+2%,perplexity:+20%")
    assert [each.outcome for each in rule(comparison, limits)] == [Outcome.BROKEN, Outcome.BROKEN, Outcome.KEPT]
