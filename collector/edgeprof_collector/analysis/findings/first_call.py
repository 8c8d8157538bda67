"""A first repetition that is slower than all others: what it compiled, loaded or grew, it did on the clock."""

from statistics import median

from edgeprof.run import PhaseKind
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.thresholds import (
    FIRST_CALL_MIN_REPETITIONS,
    FIRST_CALL_RATIO,
    INTERVAL_MIN_REPETITIONS,
)
from edgeprof_collector.analysis.verdict import Figure, FigureName, Finding, Flag, Severity, StepVerdict

_RATES = (FigureName.PREFILL_RATE, FigureName.DECODE_RATE)


def first_call(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per step whose first repetition is far slower than every other, with nothing else to explain it.

    It is a warning where so few repetitions follow that the median moves.
    """
    found = []
    for step in evidence.steps:
        slow = [figure for figure in step.figures if figure.name in _RATES and _first_is_slow(figure)]
        if slow and not _is_explained(step):
            found.append(_finding(evidence, step, slow[0]))
    return tuple(found)


def _first_is_slow(figure: Figure) -> bool:
    first, *others = (sample.value for sample in figure.samples)
    return len(others) + 1 >= FIRST_CALL_MIN_REPETITIONS and first < min(others) * FIRST_CALL_RATIO


def _is_explained(step: StepVerdict) -> bool:
    return any(raised.flag in (Flag.THROTTLED, Flag.CONTENDED) for raised in step.repetitions[0].flags)


def _finding(evidence: Evidence, step: StepVerdict, figure: Figure) -> Finding:
    first, *others = (sample.value for sample in figure.samples)
    told = (
        f"{text_of(first, figure.unit)} in the first repetition, {text_of(median(others), figure.unit)} in the others"
    )
    warm_up_ns = sum(
        phase.end_monotonic_ns - phase.start_monotonic_ns
        for phase in evidence.record.phases
        if phase.kind is PhaseKind.WARM_UP
        and phase.step
        and phase.step.variant == step.variant
        and phase.end_monotonic_ns <= step.repetitions[0].start_monotonic_ns
    )
    return Finding(
        name=FindingName.FIRST_CALL,
        severity=Severity.NOTE if figure.n >= INTERVAL_MIN_REPETITIONS else Severity.WARNING,
        title=f"{evidence.title(step)}: the first repetition is slower than all others",
        evidence=f"{told}, after {text_of(warm_up_ns / 1e9, 's')} of warm-up",
        advice=(
            "believe the later ones: kernels were compiled or memory was touched for the first time. A plan with more "
            "repetitions, or with a step of this shape before it, keeps that out of the median"
        ),
    )
