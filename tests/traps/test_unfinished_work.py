"""Calls of llama.cpp that fail, and nobody looks."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Severity

from .lab import SPOILT_ENGINE, Lab, chat, decode, plan_of, prefill

PLAN = plan_of(prefill(256), decode(8), chat(2, 64, 6), variants={"plain": {}, "failing": {"spoilt": "prompts fail"}})


def test_prompts_that_fail_silently_are_found_without_any_ceiling(lab: Lab) -> None:
    recorded = lab.run(PLAN, engine=SPOILT_ENGINE)
    prompt, conversation = recorded.found(FindingName.UNFINISHED_WORK)
    assert prompt.severity is Severity.INVALID
    assert prompt.title == "prefill 256 (failing): the prompt's work was not finished when its clock stopped"
    assert prompt.evidence.startswith("256 prompt tokens took ")
    assert "less than one decoded token" in prompt.evidence
    assert conversation.title.startswith("chat (failing)")


def test_decoding_that_fails_silently_is_impossible_even_in_a_cache(lab: Lab, wide_model: str) -> None:
    plan = plan_of(decode(16), variants={"plain": {}, "failing": {"spoilt": "all calls fail"}})
    finding = lab.run(plan, model=wide_model, engine=SPOILT_ENGINE).the_one(FindingName.IMPOSSIBLE_RATE)
    assert finding.severity is Severity.INVALID
    assert finding.title == "decode 16 @ 0 (failing): the decode rate is impossible"
    assert "cores can load of their closest cache" in finding.evidence
