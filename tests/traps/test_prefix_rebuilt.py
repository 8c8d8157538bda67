"""A conversation that is processed again on every turn."""

from edgeprof_collector.analysis.finding_name import FindingName

from .lab import SPOILT_ENGINE, Lab, chat, plan_of


def test_a_session_rebuilt_on_every_turn_is_found_and_a_kept_one_is_not(lab: Lab) -> None:
    plan = plan_of(chat(4, 96, 8), repetitions=5, variants={"kept": {}, "rebuilt": {"spoilt": "rebuilds each turn"}})
    finding = lab.run(plan, engine=SPOILT_ENGINE).the_one(FindingName.PREFIX_REBUILT)
    assert finding.title == "chat (rebuilt): the conversation is processed again on every turn"
    assert "312 of history" in finding.evidence
    assert "the engine reused 0 tokens" in finding.evidence
