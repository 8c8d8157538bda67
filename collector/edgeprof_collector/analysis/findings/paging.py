"""Memory that had to be read back from a disk while the model was measured."""

from dataclasses import dataclass

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.telemetry_window import counter_increase, series_of
from edgeprof_collector.analysis.thresholds import PAGING_FAULTS_PER_SECOND
from edgeprof_collector.analysis.verdict import Finding, Repetition, Severity

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Paged:
    """A repetition with its faults per second."""

    title: str
    repetition: Repetition
    count: int
    per_second: float


def paging(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised once per run in which the workload waited for a disk so often that it shaped a repetition."""
    found = [
        _Paged(evidence.title(step), each, count, count / ((each.end_monotonic_ns - each.start_monotonic_ns) / 1e9))
        for step in evidence.steps
        for each in step.repetitions
        if (count := each.conditions.major_page_fault_count)
    ]
    found = [each for each in found if each.per_second >= PAGING_FAULTS_PER_SECOND]
    if not found:
        return ()
    worst = max(found, key=lambda each: each.per_second)
    swapped = sum(_swapped_in_bytes(evidence, each.repetition) for each in found)
    return (
        Finding(
            name=FindingName.PAGING,
            severity=Severity.WARNING,
            title="Memory was read back from " + ("swap" if swapped else "a disk") + " while the model was measured",
            evidence=_told(worst, len(found), swapped),
            advice=(
                "the model does not fit beside everything else: take a smaller model, quantisation or context, or end "
                "other programs"
            ),
        ),
    )


def _told(worst: _Paged, count: int, swapped_bytes: float) -> str:
    seconds = (worst.repetition.end_monotonic_ns - worst.repetition.start_monotonic_ns) / _SECOND_NS
    told = (
        f"in {count} {'repetition' if count == 1 else 'repetitions'} the engine's pages were missing; most in "
        f"{worst.title}: {worst.count:,} times in {text_of(seconds, 's')}"
    )
    return f"{told}; {bytes_text(swapped_bytes)} came back from swap" if swapped_bytes else told


def _swapped_in_bytes(evidence: Evidence, repetition: Repetition) -> float:
    swapped = series_of(evidence.series, "edgeprof_swap_in_bytes_total")
    found = [counter_increase(each, repetition.start_monotonic_ns, repetition.end_monotonic_ns) for each in swapped]
    return sum(increase for increase in found if increase)
