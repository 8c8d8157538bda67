"""A first step that does more work than every later one, as one that compiles does."""

from edgeprof_collector.analysis.finding_name import FindingName

from .lab import SPOILT_ENGINE, Lab, decode, plan_of


def test_a_slow_first_repetition_is_found_and_an_even_run_is_not(lab: Lab) -> None:
    variants = {"even": {}, "compiles": {"spoilt": "first step works more"}}
    recorded = lab.run(plan_of(decode(96), repetitions=4, variants=variants), engine=SPOILT_ENGINE)
    titles = [finding.title for finding in recorded.found(FindingName.FIRST_CALL)]
    assert "decode 96 @ 0 (compiles): the first repetition is slower than all others" in titles
