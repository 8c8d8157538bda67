"""What a variant whose output has changed was asked, and what it gains, beside the plan's first."""

from collections.abc import Iterator

from edgeprof_collector.analysis.findings.rate_pair import rate_pairs
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower


def beside_first_text(evidence: Evidence, variant: int) -> str:
    """In which options a variant differs from the first, and each rate in which it is faster."""
    differences, gains = _differences_text(evidence, variant), ", ".join(_gains(evidence, variant))
    return f"{differences}; what it gains must be weighed against that: {gains}" if gains else differences


def _differences_text(evidence: Evidence, variant: int) -> str:
    ours, theirs = asked_options(evidence.record, 0), asked_options(evidence.record, variant)
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    differing = [f"{name} ({ours.get(name, 'none')} -> {theirs.get(name, 'none')})" for name in names]
    return f"its options differ in {', '.join(differing)}" if differing else "the options are the same"


def _gains(evidence: Evidence, variant: int) -> Iterator[str]:
    for pair in rate_pairs(evidence, variant):
        if is_slower(pair.first, pair.other):
            yield f"{pair.other_text} ({pair.change_ratio:+.0%})"
