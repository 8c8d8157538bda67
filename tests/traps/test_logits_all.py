"""Logits of every token, on a model whose vocabulary is large beside its layers."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Severity

from .lab import Lab, plan_of, prefill


def test_logits_of_every_token_are_found_with_their_cost(lab: Lab, wide_model: str) -> None:
    plan = plan_of(prefill(32), repetitions=6, variants={"plain": {}, "all": {"logits_all": "true"}})
    finding = lab.run(plan, model=wide_model).the_one(FindingName.LOGITS_ALL)
    assert finding.title == "all: logits are computed for every token of a prompt"
    assert finding.severity is Severity.WARNING
    assert "a prompt of 32 tokens makes 16.0 MiB of logits" in finding.evidence
    assert "prefill 32 reads " in finding.evidence
