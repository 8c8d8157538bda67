"""A device that was held back by heat, power or current while it was measured."""

from collections.abc import Iterator, Sequence

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.flagged import Flagged, repetitions_with
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.thresholds import VARIANT_MIN_RATIO
from edgeprof_collector.analysis.verdict import Finding, Flag, Repetition, Severity

_MOST_CAUSES = 3


def throttled(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised once per run in which clocks fell, or kernel, driver or firmware told of a limit.

    It is a note where repetitions that were held back were not slower than the others.
    """
    found = repetitions_with(evidence, Flag.THROTTLED)
    if found is None:
        return ()
    harmless = found.cost is not None and found.cost.ratio < VARIANT_MIN_RATIO
    return (
        Finding(
            name=FindingName.THROTTLED,
            severity=Severity.NOTE if harmless else Severity.WARNING,
            title="The device was held back while it was measured",
            evidence="; ".join(_told(evidence, found)),
            advice=(
                "these are sustained rates: for cold ones give the plan a start temperature and longer rests, for "
                "better sustained ones cool the device or lift its power limit"
            ),
        ),
    )


def _told(evidence: Evidence, found: Flagged) -> Iterator[str]:
    causes = found.evidence_of(Flag.THROTTLED)
    more = f" and {len(causes) - _MOST_CAUSES} more" if len(causes) > _MOST_CAUSES else ""
    yield f"{found.count_text}: {', '.join(causes[:_MOST_CAUSES])}{more}"
    yield found.cost.text if found.cost else "no repetition of the same step was free of it"
    repetitions = sorted(
        (each for step in evidence.steps for each in step.repetitions), key=lambda each: each.start_monotonic_ns
    )
    yield from _course(repetitions)


def _course(repetitions: Sequence[Repetition]) -> Iterator[str]:
    """Temperature and clocks of the first repetition and of the last."""
    first, last = repetitions[0].conditions, repetitions[-1].conditions
    if first.temperature_celsius is not None and last.temperature_celsius is not None:
        yield f"{first.temperature_celsius:.0f} °C at the start, {last.temperature_celsius:.0f} °C at the end"
    for whose, before, after in (
        ("CPU", first.cpu_clock_hertz, last.cpu_clock_hertz),
        ("GPU", first.gpu_clock_hertz, last.gpu_clock_hertz),
    ):
        if before is not None and after is not None:
            yield f"{whose} clock {text_of(before, 'hertz')}, then {text_of(after, 'hertz')}"
