"""Decoding at depth, on a model whose KV cache outgrows its weights."""

from edgeprof_collector.analysis.finding_name import FindingName

from .lab import Lab, decode, plan_of


def test_a_rate_that_falls_with_the_context_is_found_with_its_curve_and_both_kernels(lab: Lab) -> None:
    attention = {name: {"flash_attention": name} for name in ("on", "off")}
    plan = plan_of(decode(32), decode(32, 700), decode(32, 1600), variants=attention)
    found = lab.run(plan).found(FindingName.CONTEXT_DECAY)
    assert [finding.title.partition(":")[0] for finding in found] == ["decode 32 @ 1600 (on)", "decode 32 @ 1600 (off)"]
    for finding, other in zip(found, ("off", "on"), strict=True):
        assert " at 16, " in finding.evidence
        assert " at 1,616, " in finding.evidence
        assert "% of the added time, " in finding.evidence
        assert "50% of the rate is kept up to about " in finding.evidence
        assert f"with flash_attention = {other} it is " in finding.evidence


def test_a_context_that_hardly_grows_slows_nothing_down(lab: Lab) -> None:
    assert lab.run(plan_of(decode(24), decode(24, 24), repetitions=5)).found(FindingName.CONTEXT_DECAY) == ()
