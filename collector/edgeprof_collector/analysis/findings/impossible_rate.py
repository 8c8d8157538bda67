"""A decode rate above what the memory can deliver: the stopwatch stopped before the work was done."""

from edgeprof_collector.analysis.ceilings import Ceiling, fitting_cache, largest_ceiling
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.placement import CPU
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.thresholds import IMPOSSIBLE_RATE_RATIO
from edgeprof_collector.analysis.verdict import Figure, FigureName, Finding, Severity


def impossible_rate(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per step whose achieved bandwidth exceeds every measured, computed and specified one of its processor.

    Never when the weights fit, or may fit, the processor's last-level cache, which is faster than memory.
    """
    findings = []
    for step in evidence.steps:
        achieved = step.figure(FigureName.ACHIEVED_BANDWIDTH)
        rate = step.figure(FigureName.DECODE_RATE)
        if achieved is None or rate is None or step.processor is None:
            continue
        peak = largest_ceiling(evidence.record, step.processor)
        if peak is None or fitting_cache(evidence.record, step.processor):
            continue
        if achieved.median > peak.bytes_per_second * IMPOSSIBLE_RATE_RATIO:
            findings.append(_finding(evidence.title(step), rate, achieved, step.processor, peak))
    return tuple(findings)


def _finding(title: str, rate: Figure, achieved: Figure, processor: str, peak: Ceiling) -> Finding:
    whose = "the CPU" if processor == CPU else processor
    return Finding(
        severity=Severity.INVALID,
        title=f"{title}: the decode rate is impossible",
        evidence=(
            f"{text_of(rate.median, rate.unit)} would read {text_of(achieved.median, achieved.unit)} of weights and KV "
            f"cache; the memory of {whose} moves {text_of(peak.bytes_per_second, achieved.unit)} at most "
            f"({peak.known_by})"
        ),
        advice="do not use this figure: the engine reported work as done before it was, or failed silently",
    )
