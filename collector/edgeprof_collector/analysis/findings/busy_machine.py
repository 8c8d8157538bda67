"""Other programs that used the CPU while the model was measured."""

from collections.abc import Iterator

from edgeprof.run import PhaseKind
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.flagged import Flagged, repetitions_with
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.verdict import Finding, Flag, Severity

_GAVE_UP = "gave up"


def busy_machine(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised once per run in which other processes took a tenth of all cores' time in a repetition."""
    found = repetitions_with(evidence, Flag.CONTENDED)
    if found is None:
        return ()
    return (
        Finding(
            name=FindingName.BUSY_MACHINE,
            severity=Severity.WARNING,
            title="Other programs were at work",
            evidence="; ".join(_told(evidence, found)),
            advice="end them and measure again, or let the run wait longer at its gate (gates.wait_seconds)",
        ),
    )


def _told(evidence: Evidence, found: Flagged) -> Iterator[str]:
    shares = [each.conditions.background_cpu_ratio or 0.0 for each in found.repetitions]
    low, high = f"{min(shares):.0%}", f"{max(shares):.0%}"
    span = low if low == high else f"{low} to {high}"
    yield f"in {found.count_text} other processes took {span} of all cores' time"
    if found.cost:
        yield found.cost.text
    for phase in evidence.record.phases:
        if phase.kind is PhaseKind.GATE and phase.note.startswith(_GAVE_UP):
            yield f"waiting for an idle machine the run {phase.note}"
