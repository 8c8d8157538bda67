"""A variant that is slower than the first, interleaved on the same device."""

from collections.abc import Iterator

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower, twins
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import FigureName, Finding, Severity, StepVerdict

_RATES = {FigureName.PREFILL_RATE: "reads", FigureName.DECODE_RATE: "writes"}
# Their own findings tell of these, and what they cost.
_TOLD_ELSEWHERE = ("threads", "logits_all")


def slower_variant(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant that is slower than the plan's first in a step; the steps where it is not are named too.

    It is a warning where the options are the same, so that the engine itself is slower: another version or build.
    """
    told_elsewhere = {other for option in _TOLD_ELSEWHERE for other in twins(evidence.record, 0, option)}
    variants = range(1, len(evidence.record.started.plan.variants))
    found = [_judge(evidence, variant) for variant in variants if variant not in told_elsewhere]
    return tuple(finding for finding in found if finding)


def _judge(evidence: Evidence, variant: int) -> Finding | None:
    changes = list(_changes(evidence, variant))
    if not any(slower for slower, _ in changes):
        return None
    plan = evidence.record.started.plan
    first, other = plan.variants[0], plan.variants[variant]
    asked_alike = asked_options(evidence.record, 0) == asked_options(evidence.record, variant)
    slower = "; ".join(text for is_it, text in changes if is_it)
    rest = ", ".join(text for is_it, text in changes if not is_it)
    return Finding(
        name=FindingName.SLOWER_VARIANT,
        severity=Severity.WARNING if asked_alike else Severity.NOTE,
        title=f"{other.name} is slower than {first.name}",
        evidence=f"{slower}; not slower: {rest}" if rest else slower,
        advice=(
            "the options are the same, so the engine itself is slower here: stay with the faster one, and see by the "
            "steps whether prompts, single tokens or long contexts lost"
            if asked_alike
            else f"keep the options of {first.name}, unless the slower ones buy memory or fidelity that you need"
        ),
    )


def _changes(evidence: Evidence, variant: int) -> Iterator[tuple[bool, str]]:
    """Per step and rate: whether it is slower, and the change in words."""
    for step in evidence.steps:
        base = evidence.step_of(step.step, 0)
        if step.variant == variant and base:
            yield from _changes_of(base, step)


def _changes_of(base: StepVerdict, step: StepVerdict) -> Iterator[tuple[bool, str]]:
    for name, verb in _RATES.items():
        before, after = base.figure(name), step.figure(name)
        if before and after:
            change = after.median / before.median - 1
            rates = f"{text_of(after.median, after.unit)} instead of {text_of(before.median, before.unit)}"
            yield is_slower(after, before), f"{step.name} {verb} {rates} ({change:+.0%}, n {after.n})"
