"""A decode rate above what the memory can deliver: the stopwatch stopped before the work was done."""

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.ceilings import Ceiling, cache_ceiling, fitting_cache, largest_ceiling
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.placement import CPU
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.thresholds import IMPOSSIBLE_RATE_RATIO
from edgeprof_collector.analysis.verdict import Figure, FigureName, Finding, Severity


def impossible_rate(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per step whose achieved bandwidth exceeds every measured, computed and specified one of its processor.

    Where the weights fit the CPU's last-level cache, or no bandwidth of it is known, what its cores can load at all is
    the bound. Of a GPU there is none then: its cache may be faster than its memory, by how much nobody tells.
    """
    findings = []
    for step in evidence.steps:
        achieved = step.figure(FigureName.ACHIEVED_BANDWIDTH)
        rate = step.figure(FigureName.DECODE_RATE)
        if achieved is None or rate is None or step.processor is None:
            continue
        peak = _ceiling(evidence.record, step.processor)
        if peak is not None and achieved.median > peak.bytes_per_second * IMPOSSIBLE_RATE_RATIO:
            findings.append(_finding(evidence.title(step), rate, achieved, step.processor, peak))
    return tuple(findings)


def _ceiling(record: RunRecord, processor: str) -> Ceiling | None:
    peak = None if fitting_cache(record, processor) else largest_ceiling(record, processor)
    return peak or (cache_ceiling(record) if processor == CPU else None)


def _finding(title: str, rate: Figure, achieved: Figure, processor: str, peak: Ceiling) -> Finding:
    whose = "the CPU" if processor == CPU else processor
    return Finding(
        name=FindingName.IMPOSSIBLE_RATE,
        severity=Severity.INVALID,
        title=f"{title}: the decode rate is impossible",
        evidence=(
            f"{text_of(rate.median, rate.unit)} would read {text_of(achieved.median, achieved.unit)} of weights and KV "
            f"cache; the memory of {whose} moves {text_of(peak.bytes_per_second, achieved.unit)} at most "
            f"({peak.known_by})"
        ),
        advice="do not use this figure: the engine reported work as done before it was, or failed silently",
    )
