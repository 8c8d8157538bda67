"""What a variant whose output has changed was asked, and what it gains, beside the plan's first."""

from collections.abc import Iterator

from edgeprof_collector.analysis.findings.rate_pair import rate_pairs
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower


def differences_text(evidence: Evidence, variant: int) -> str:
    """In which options it differs from the first."""
    ours, theirs = asked_options(evidence.record, 0), asked_options(evidence.record, variant)
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    differing = [f"{name} ({ours.get(name, 'none')} -> {theirs.get(name, 'none')})" for name in names]
    return f"its options differ in {', '.join(differing)}" if differing else "the options are the same"


def gains_text(evidence: Evidence, variant: int) -> str:
    """Each rate in which it is faster than the first, with how much; empty if there is none."""
    gains = list(_gains(evidence, variant))
    return f"what it gains must be weighed against that: {', '.join(gains)}" if gains else ""


def _gains(evidence: Evidence, variant: int) -> Iterator[str]:
    for pair in rate_pairs(evidence, variant):
        if is_slower(pair.first, pair.other):
            yield f"{pair.other_text} ({pair.change_ratio:+.0%})"
