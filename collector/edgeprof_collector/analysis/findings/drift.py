"""A rate that moves from repetition to repetition, though nothing is known to hold the device back."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.verdict import Finding, Flag, Severity, StepVerdict


def drift(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per step whose rates have a trend, unless they were throttled or disturbed: that is why."""
    return tuple(_finding(evidence, step) for step in evidence.steps if step.flags and not _is_explained(step))


def _is_explained(step: StepVerdict) -> bool:
    return any(raised.flag in (Flag.THROTTLED, Flag.CONTENDED) for each in step.repetitions for raised in each.flags)


def _finding(evidence: Evidence, step: StepVerdict) -> Finding:
    told = [raised.evidence for raised in step.flags]
    first, last = step.repetitions[0].conditions, step.repetitions[-1].conditions
    if first.temperature_celsius is not None and last.temperature_celsius is not None:
        told.append(f"{first.temperature_celsius:.0f} °C in the first, {last.temperature_celsius:.0f} °C in the last")
    return Finding(
        name=FindingName.DRIFT,
        severity=Severity.NOTE,
        title=f"{evidence.title(step)}: the rate had not settled",
        evidence="; ".join(told),
        advice="repeat more often, until the rate stays where it is, and believe the later repetitions",
    )
