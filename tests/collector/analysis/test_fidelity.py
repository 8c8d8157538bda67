"""Next-token distributions held against each other, with values worked out by hand."""

import math
from dataclasses import replace

import pytest

from edgeprof.plan import Plan, Step, StepKind, Variant
from edgeprof.run import NextTokens, StepRef
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.fidelity import Divergence, divergence
from edgeprof_collector.analysis.soundness import sound_part
from tests.collector.analysis.sample_run import Scenario, sample_record

STEP = Step(kind=StepKind.FIDELITY, name="fidelity", prompt_tokens=1, decode_tokens=1, top_count=2)
Row = list[tuple[int, float]]


def kept(*rows: Row, variant: int = 0) -> NextTokens:
    """Rows of (token, probability)."""
    return NextTokens(
        run_id="run",
        step=StepRef(step=0, variant=variant, repetition=0),
        top_count=len(rows[0]),
        token_ids=tuple(token for row in rows for token, _ in row),
        log_probabilities=tuple(math.log(probability) for row in rows for _, probability in row),
    )


def held(reference: list[Row], other: list[Row]) -> Divergence:
    return divergence(STEP, kept(*reference), kept(*other))


def test_the_same_rows_have_not_moved() -> None:
    rows: list[Row] = [[(5, 0.5), (7, 0.25)], [(1, 0.9), (2, 0.05)]]
    found = held(rows, rows)
    assert (found.kl_mean_nats, found.kl_largest_nats, found.largest_difference) == (0, 0, 0)
    assert (found.token_count, found.same_top_ratio, found.has_moved) == (2, 1.0, False)


def test_shared_tokens_are_told_apart_and_all_others_taken_together() -> None:
    found = held([[(5, 0.5), (7, 0.25)], [(1, 0.9), (2, 0.05)]], [[(5, 0.25), (7, 0.25)], [(2, 0.5), (3, 0.25)]])
    first = 0.5 * math.log(0.5 / 0.25) + 0.25 * math.log(0.25 / 0.5)
    second = 0.05 * math.log(0.05 / 0.5) + 0.95 * math.log(0.95 / 0.5)
    assert found.kl_prompt_nats == pytest.approx(first)
    assert found.kl_single_nats == pytest.approx(second) == found.kl_largest_nats
    assert found.kl_mean_nats == pytest.approx((first + second) / 2)
    assert found.same_top_count == 1
    # Of token 1 the other holds at most as much as of its last: 0.9 - 0.25.
    assert found.largest_difference == pytest.approx(0.65)
    assert found.has_moved


def test_the_divergence_is_never_above_that_of_whole_distributions() -> None:
    """Of 64 tokens, all of them known, and cut to the likeliest 8 of each side."""
    whole = [[math.exp(-0.3 * (token * factor % 64)) for token in range(64)] for factor in (1, 5)]
    whole = [[weight / sum(row) for weight in row] for row in whole]
    true_nats = sum(ours * math.log(ours / theirs) for ours, theirs in zip(*whole, strict=True))
    cut = [sorted(enumerate(row), key=lambda each: -each[1])[:8] for row in whole]
    found = held([cut[0]] * 2, [cut[1]] * 2)
    assert 0 < found.kl_mean_nats <= true_nats


def test_logits_gone_wild_are_far_away_and_no_error() -> None:
    wild = NextTokens(
        run_id="run",
        step=StepRef(step=0, variant=1, repetition=0),
        top_count=2,
        token_ids=(7, 5, 2, 1),
        log_probabilities=(0.0, -9000.0, 0.0, -12000.0),
    )
    found = divergence(STEP, kept([(5, 0.5), (7, 0.25)], [(1, 0.9), (2, 0.05)]), wild)
    assert found.kl_mean_nats > 1000
    assert found.same_top_count == 0


def _scenario() -> Scenario:
    variants = (Variant(name="first"), Variant(name="other"))
    return Scenario(plan=Plan(name="p", steps=(STEP,), variants=variants, repetitions=1))


def test_what_contradicts_the_plan_is_left_out_and_counted() -> None:
    rows: list[Row] = [[(5, 0.5), (7, 0.25)], [(1, 0.9), (2, 0.05)]]
    good, short = kept(*rows), replace(kept(*rows), token_ids=(5, 7, 1))
    unlikely = replace(kept(*rows), log_probabilities=(0.5, -1.0, -1.0, -2.0))
    elsewhere = replace(good, step=StepRef(step=3, variant=0, repetition=0))
    record = replace(sample_record(_scenario()), next_tokens=(good, short, unlikely, elsewhere))
    sound, count = sound_part(record)
    assert (sound.next_tokens, count) == ((good,), 3)


def test_a_verdict_holds_each_other_variant_against_the_first() -> None:
    rows: list[Row] = [[(5, 0.5), (7, 0.25)], [(1, 0.9), (2, 0.05)]]
    record = replace(sample_record(_scenario()), next_tokens=(kept(*rows), kept(*rows, variant=1)))
    [found] = analyse(record, ()).fidelity
    assert (found.variant_name, found.reference_name, found.step_name) == ("other", "first", "fidelity")
    assert analyse(replace(record, next_tokens=(kept(*rows, variant=1),)), ()).fidelity == ()
