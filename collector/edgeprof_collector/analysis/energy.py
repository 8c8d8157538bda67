"""Energy per token, prefill and decode apart, from energy counters.

The joules of a phase are the difference of the counter between the phase's ends, each interpolated linearly between
the two updates around it. A counter that was read more often than it changes is reduced to its changes first,
because between them it says nothing. A rail is never added to another: packages contain cores, boards contain both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgeprof.plan import StepKind
from edgeprof_collector.analysis.definitions import figure
from edgeprof_collector.analysis.rates import decode_windows
from edgeprof_collector.analysis.repetitions import RecordedRepetition, Window, prefill_window
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase, series_of
from edgeprof_collector.analysis.thresholds import ENERGY_MIN_REFRESHES, ENERGY_REACH_REFRESHES
from edgeprof_collector.analysis.verdict import AbsentFigure, EnergyRail, Figure, FigureName, Sample

_SECOND_NS = 1_000_000_000
_METRICS = ("edgeprof_energy_joules_total", "edgeprof_gpu_energy_joules_total")


@dataclass(frozen=True, slots=True)
class EnergyCounter:
    """An energy counter reduced to its updates."""

    updates: Series
    scope: str
    refresh_seconds: float

    def increase_joules(self, start_ns: int, end_ns: int) -> float | None:
        """Joules in the window; ``None`` where updates around its ends are missing or the counter was reset."""
        return counter_increase(self.updates, start_ns, end_ns, self.refresh_seconds * ENERGY_REACH_REFRESHES)


def energy_counters(series: Sequence[Series]) -> tuple[EnergyCounter, ...]:
    """The counters that ran: those that changed at least twice."""
    found = (_counter(each) for metric in _METRICS for each in series_of(series, metric))
    return tuple(counter for counter in found if counter is not None)


def energy_rails(counters: Sequence[EnergyCounter], start_ns: int, end_ns: int) -> tuple[EnergyRail, ...]:
    """What each counter covers, and its joules between the first and last moment of the run that it saw."""
    rails = []
    for counter in counters:
        times = counter.updates.times_monotonic_ns
        joules = counter.increase_joules(max(start_ns, int(times[0])), min(end_ns, int(times[-1])))
        rails.append(
            EnergyRail(
                scope=counter.scope,
                source=counter.updates.channel.source,
                refresh_seconds=counter.refresh_seconds,
                run_joules=joules,
            )
        )
    return tuple(rails)


def energy_figures(
    kind: StepKind, repetitions: Sequence[RecordedRepetition], counters: Sequence[EnergyCounter]
) -> tuple[list[Figure], list[AbsentFigure]]:
    """Energy per token of each rail and phase that this step's kind has, or why it is absent."""
    phases: list[tuple[FigureName, Callable[[RecordedRepetition], Sequence[Window]]]] = []
    if kind is not StepKind.DECODE:
        phases.append((FigureName.PREFILL_ENERGY, _prefill_windows))
    if kind is not StepKind.PREFILL:
        phases.append((FigureName.DECODE_ENERGY, decode_windows))
    figures, absent = [], []
    for name, windows_of in phases:
        for counter in counters:
            samples, reasons = _measure(counter, repetitions, windows_of)
            if samples:
                figures.append(figure(name, samples, scope=counter.scope))
            elif reasons:
                absent.append(AbsentFigure(name=name, reason=reasons[0], scope=counter.scope))
    return figures, absent


def _measure(
    counter: EnergyCounter,
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
        if shortest < counter.refresh_seconds * ENERGY_MIN_REFRESHES:
            reasons.append(
                f"too short: {shortest:.3g} s, and the counter changes every {counter.refresh_seconds:.3g} s"
            )
            continue
        joules = [counter.increase_joules(window.start_monotonic_ns, window.end_monotonic_ns) for window in windows]
        known = [each for each in joules if each is not None]
        if len(known) < len(joules):
            reasons.append("the counter has no readings around this phase, or was reset in it")
            continue
        tokens = sum(window.tokens for window in windows)
        samples.append(Sample(repetition.reference.repetition, sum(known) / tokens))
    return samples, reasons


def _prefill_windows(repetition: RecordedRepetition) -> tuple[Window, ...]:
    if not repetition.complete:
        return ()
    return tuple(window for request in repetition.requests if (window := prefill_window(request)))


def _counter(series: Series) -> EnergyCounter | None:
    changed = np.concatenate([[True], np.diff(series.values) != 0])
    times, values = series.times_monotonic_ns[changed], series.values[changed]
    if times.size < 3:
        return None
    updates = Series(channel=series.channel, times_monotonic_ns=times, values=values)
    # The first reading is not an update: nobody saw the counter change to it.
    refresh_seconds = float(np.median(np.diff(times[1:]))) / _SECOND_NS
    return EnergyCounter(updates, _scope(series), refresh_seconds)


def _scope(series: Series) -> str:
    return " ".join(value for _, value in series.channel.labels)
