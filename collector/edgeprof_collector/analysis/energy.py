"""Energy per token, prefill and decode apart, by every meter of the device; and what it draws at rest."""

from collections.abc import Callable, Iterable, Sequence

from edgeprof.plan import StepKind
from edgeprof.run import Phase, PhaseKind, RunRecord
from edgeprof_collector.analysis.definitions import INTEGRATED_FORMULAS, figure
from edgeprof_collector.analysis.energy_meters import EnergyMeter
from edgeprof_collector.analysis.rates import decode_windows
from edgeprof_collector.analysis.repetitions import RecordedRepetition, Window, prefill_window
from edgeprof_collector.analysis.thresholds import ENERGY_MIN_REFRESHES, ENERGY_RUN_REACH_SECONDS
from edgeprof_collector.analysis.verdict import AbsentFigure, EnergyMethod, EnergyRail, Figure, FigureName, Sample

_SECOND_NS = 1_000_000_000
_CHANGES = {EnergyMethod.COUNTER: "the counter changes", EnergyMethod.INTEGRATED: "the power is known"}
_MISSING = {
    EnergyMethod.COUNTER: "the counter has no readings around this phase, or was reset in it",
    EnergyMethod.INTEGRATED: "readings of power are missing in this phase",
}


def energy_rails(record: RunRecord, meters: Sequence[EnergyMeter], end_ns: int) -> tuple[EnergyRail, ...]:
    """What each meter covers, its joules between the first and last moment of the run that it saw, and idle power."""
    rails = []
    for meter in meters:
        times = meter.series.times_monotonic_ns
        first_ns, last_ns = max(record.started.monotonic_ns, int(times[0])), min(end_ns, int(times[-1]))
        rails.append(
            EnergyRail(
                scope=meter.scope,
                source=meter.series.channel.source,
                method=meter.method,
                refresh_seconds=meter.refresh_seconds,
                run_joules=meter.joules(first_ns, last_ns, ENERGY_RUN_REACH_SECONDS),
                idle_watts=_idle_watts(meter, record.phases),
            )
        )
    return tuple(rails)


def widest_first(record: RunRecord, meters: Sequence[EnergyMeter], end_ns: int) -> tuple[EnergyMeter, ...]:
    """The meters by what they counted in the run: a board before its parts, a GPU before the CPU that feeds it."""
    joules = {rail.scope: rail.run_joules or 0.0 for rail in energy_rails(record, meters, end_ns)}
    return tuple(sorted(meters, key=lambda meter: -joules[meter.scope]))


def mean_watts(meter: EnergyMeter, start_ns: int, end_ns: int) -> float | None:
    """Mean power over a window; ``None`` where it is too short for the meter, or readings are missing."""
    seconds = (end_ns - start_ns) / _SECOND_NS
    if seconds < meter.refresh_seconds * ENERGY_MIN_REFRESHES:
        return None
    joules = meter.joules(start_ns, end_ns)
    return None if joules is None else joules / seconds


def energy_figures(
    kind: StepKind, repetitions: Sequence[RecordedRepetition], meters: Sequence[EnergyMeter]
) -> tuple[list[Figure], list[AbsentFigure]]:
    """Energy per token of each rail and phase that this step's kind has, or why it is absent."""
    phases: list[tuple[FigureName, Callable[[RecordedRepetition], Sequence[Window]]]] = []
    if kind in (StepKind.PREFILL, StepKind.CHAT):
        phases.append((FigureName.PREFILL_ENERGY, _prefill_windows))
    if kind is not StepKind.PREFILL:
        phases.append((FigureName.DECODE_ENERGY, decode_windows))
    figures, absent = [], []
    for name, windows_of in phases:
        for meter in meters:
            formula = INTEGRATED_FORMULAS[name] if meter.method is EnergyMethod.INTEGRATED else ""
            samples, reasons = _measure(meter, repetitions, windows_of)
            if samples:
                figures.append(figure(name, samples, scope=meter.scope, formula=formula))
            elif reasons:
                absent.append(AbsentFigure(name=name, reason=reasons[0], scope=meter.scope))
    return figures, absent


def _measure(
    meter: EnergyMeter,
    repetitions: Sequence[RecordedRepetition],
    windows_of: Callable[[RecordedRepetition], Sequence[Window]],
) -> tuple[list[Sample], list[str]]:
    """Joules per token of each repetition, and why the others have none."""
    samples, reasons = [], []
    for repetition in repetitions:
        windows = windows_of(repetition)
        if not windows:
            continue
        shortest = min(window.seconds for window in windows)
        if shortest < meter.refresh_seconds * ENERGY_MIN_REFRESHES:
            reasons.append(
                f"too short: {shortest:.3g} s, and {_CHANGES[meter.method]} every {meter.refresh_seconds:.3g} s"
            )
            continue
        joules = [meter.joules(window.start_monotonic_ns, window.end_monotonic_ns) for window in windows]
        known = [each for each in joules if each is not None]
        if len(known) < len(joules):
            reasons.append(_MISSING[meter.method])
            continue
        tokens = sum(window.tokens for window in windows)
        samples.append(Sample(repetition.reference.repetition, sum(known) / tokens))
    return samples, reasons


def _prefill_windows(repetition: RecordedRepetition) -> tuple[Window, ...]:
    if not repetition.complete:
        return ()
    return tuple(window for request in repetition.requests if (window := prefill_window(request)))


def _idle_watts(meter: EnergyMeter, phases: Iterable[Phase]) -> float | None:
    """Mean power before the model was loaded, while the run waited; else while it rested between steps."""
    for kind in (PhaseKind.GATE, PhaseKind.REST):
        known = [
            (watts, each.end_monotonic_ns - each.start_monotonic_ns)
            for each in phases
            if each.kind is kind
            and (watts := mean_watts(meter, each.start_monotonic_ns, each.end_monotonic_ns)) is not None
        ]
        if known:
            return sum(watts * span_ns for watts, span_ns in known) / sum(span_ns for _, span_ns in known)
    return None
