"""A variant that is slower than the first, interleaved on the same device."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rate_pair import RatePair, rate_pairs, rate_text
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower, twins
from edgeprof_collector.analysis.verdict import Finding, Severity

# Their own findings tell of these, and what they cost.
_TOLD_ELSEWHERE = ("threads", "logits_all")


def slower_variant(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant that is slower than the plan's first in a step; the steps where it is not are named too.

    What `edgeprof compare` would call worse, if it is enough to matter; under 6 repetitions nothing can be told.

    It is a warning where the options are the same, so that the engine itself is slower: another version or build.
    """
    told_elsewhere = {other for option in _TOLD_ELSEWHERE for other in twins(evidence.record, 0, option)}
    variants = range(1, len(evidence.record.started.plan.variants))
    found = [_judge(evidence, variant) for variant in variants if variant not in told_elsewhere]
    return tuple(finding for finding in found if finding)


def _judge(evidence: Evidence, variant: int) -> Finding | None:
    pairs = list(rate_pairs(evidence, variant))
    slower = [pair for pair in pairs if is_slower(pair.other, pair.first, tests=len(pairs))]
    if not slower:
        return None
    plan = evidence.record.started.plan
    first, other = plan.variants[0], plan.variants[variant]
    asked_alike = asked_options(evidence.record, 0) == asked_options(evidence.record, variant)
    told = "; ".join(_text(pair) for pair in slower)
    rest = ", ".join(_text(pair) for pair in pairs if pair not in slower)
    return Finding(
        name=FindingName.SLOWER_VARIANT,
        severity=Severity.WARNING if asked_alike else Severity.NOTE,
        title=f"{other.name} is slower than {first.name}",
        evidence=f"{told}; not slower: {rest}" if rest else told,
        advice=(
            "the options are the same, so the engine itself is slower here: stay with the faster one, and see by the "
            "steps whether prompts, single tokens or long contexts lost"
            if asked_alike
            else f"keep the options of {first.name}, unless the slower ones buy memory or fidelity that you need"
        ),
    )


def _text(pair: RatePair) -> str:
    return f"{pair.other_text} instead of {rate_text(pair.first)} ({pair.change_ratio:+.0%}, n {pair.other.n})"
