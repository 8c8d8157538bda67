"""A decode rate above what the memory can deliver: the stopwatch stopped before the work was done."""

from edgeprof_collector.analysis.bandwidth import fits_last_level_cache, largest_cpu_bandwidth, ran_on_cpu
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.thresholds import IMPOSSIBLE_RATE_RATIO
from edgeprof_collector.analysis.verdict import FigureName, Finding, Severity


def impossible_rate(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per step whose achieved bandwidth exceeds the largest of the CPU's measured, computed and specified ones.

    Never when the weights fit the last-level cache, which is faster than memory.
    """
    largest = largest_cpu_bandwidth(evidence.record)
    if largest is None or fits_last_level_cache(evidence.record):
        return ()
    peak, known_by = largest
    findings = []
    for step in evidence.steps:
        achieved = step.figure(FigureName.ACHIEVED_BANDWIDTH)
        rate = step.figure(FigureName.DECODE_RATE)
        if achieved is None or rate is None or not ran_on_cpu(evidence.record, step.variant):
            continue
        if achieved.median > peak * IMPOSSIBLE_RATE_RATIO:
            findings.append(
                Finding(
                    severity=Severity.INVALID,
                    title=f"{evidence.title(step)}: the decode rate is impossible",
                    evidence=(
                        f"{text_of(rate.median, rate.unit)} would read {text_of(achieved.median, achieved.unit)} of "
                        f"weights and KV cache; the CPU's memory moves {text_of(peak, achieved.unit)} at most "
                        f"({known_by})"
                    ),
                    advice="do not use this figure: the engine reported work as done before it was, or failed silently",
                )
            )
    return tuple(findings)
