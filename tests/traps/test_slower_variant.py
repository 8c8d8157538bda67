"""A version that does four times the work for the same result."""

import dataclasses
import sys

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Severity

from .lab import SPOILT_ENGINE, Lab, decode, plan_of, prefill


def test_a_slower_variant_is_found_step_by_step_and_its_healthy_twin_is_not(lab: Lab) -> None:
    variants = {"old": {}, "same": {}, "new": {"spoilt": "works four times"}}
    recorded = lab.run(plan_of(prefill(96), decode(96), repetitions=8, variants=variants), engine=SPOILT_ENGINE)
    [finding] = [each for each in recorded.found(FindingName.SLOWER_VARIANT) if each.title.startswith("new ")]
    assert finding.title == "new is slower than old"
    assert finding.severity is Severity.NOTE
    assert "prefill 96 reads " in finding.evidence
    assert "decode 96 @ 0 writes " in finding.evidence
    assert "not slower" not in finding.evidence


def test_the_engine_itself_is_slower_where_the_options_are_the_same(lab: Lab) -> None:
    variants = {"old": {}, "new": {"spoilt": "works four times"}}
    recorded = lab.run(plan_of(decode(96), repetitions=6, variants=variants), engine=SPOILT_ENGINE)
    started = recorded.record.started
    old, new = started.plan.variants
    plan = dataclasses.replace(
        started.plan, variants=(old, dataclasses.replace(new, options=old.options, python=sys.executable))
    )
    engine = dataclasses.replace(started.engine, options=(started.engine.options[0],) * 2)
    record = dataclasses.replace(recorded.record, started=dataclasses.replace(started, plan=plan, engine=engine))
    finding = dataclasses.replace(recorded, record=record).the_one(FindingName.SLOWER_VARIANT)
    assert finding.severity is Severity.WARNING
    assert finding.advice.startswith("the options are the same")
