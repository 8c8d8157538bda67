"""Kernels, caches and weights that change what a model says, and such that only round otherwise."""

import pytest

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Severity

from .lab import SPOILT_ENGINE, Lab, decode, fidelity, plan_of


def test_damaged_weights_are_found_and_the_same_weights_are_not(lab: Lab) -> None:
    variants = {"sound": {}, "same": {}, "damaged": {"spoilt": "damages its weights"}}
    recorded = lab.run(plan_of(fidelity(), repetitions=1, variants=variants), engine=SPOILT_ENGINE)
    finding = recorded.the_one(FindingName.CHANGED_OUTPUT)
    assert finding.severity is Severity.WARNING
    assert finding.title == "damaged does not say what sound says"
    assert finding.evidence.startswith("fidelity: KL divergence ")
    assert "the likeliest next token is the same after " in finding.evidence
    same, damaged = (each.divergence for each in recorded.verdict.fidelity)
    assert (same.kl_largest_nats, same.same_top_ratio, same.largest_difference) == (0, 1, 0)
    assert damaged.kl_mean_nats > 0.01


@pytest.mark.parametrize("part", ["cache_type_k", "cache_type_v"])
def test_a_lossy_kv_cache_is_found_in_prompts_and_single_tokens(lab: Lab, part: str) -> None:
    variants = {"plain": {}, "lossy": {part: "q4_0"}}
    recorded = lab.run(plan_of(fidelity(), repetitions=1, variants=variants))
    finding = recorded.the_one(FindingName.CHANGED_OUTPUT)
    assert f"its options differ in {part} (f16 -> q4_0)" in finding.evidence
    [found] = recorded.verdict.fidelity
    assert found.divergence.token_count == 128
    assert min(found.divergence.kl_prompt_nats or 0, found.divergence.kl_single_nats or 0) > 0.01
    assert found.divergence.same_top_ratio < 0.9


def test_other_rounding_is_no_other_output(lab: Lab) -> None:
    variants = {
        "plain": {},
        "small batches": {"micro_batch": "32"},
        "other attention": {"flash_attention": "off"},
        "8-bit cache": {"cache_type_k": "q8_0", "cache_type_v": "q8_0"},
    }
    recorded = lab.run(plan_of(fidelity(), repetitions=1, variants=variants))
    assert len(recorded.verdict.fidelity) == 3
    assert recorded.found(FindingName.CHANGED_OUTPUT) == ()


def test_what_was_gained_is_told_beside_what_it_cost(lab: Lab) -> None:
    variants = {"slow": {"spoilt": "works four times"}, "fast": {"cache_type_k": "q4_0", "cache_type_v": "q4_0"}}
    recorded = lab.run(plan_of(fidelity(), decode(48), repetitions=8, variants=variants), engine=SPOILT_ENGINE)
    finding = recorded.the_one(FindingName.CHANGED_OUTPUT)
    assert "what it gains must be weighed against that: decode 48 @ 0 writes " in finding.evidence


def test_a_run_keeps_kilobytes(lab: Lab) -> None:
    recorded = lab.run(plan_of(fidelity(), repetitions=3))
    [kept] = recorded.record.next_tokens
    assert len(kept.token_ids) == len(kept.log_probabilities) == 128 * 16
    assert recorded.verdict.steps == ()
