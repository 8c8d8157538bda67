"""What each repetition was taken at, and the flags that follow."""

from collections.abc import Sequence

import numpy as np

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.repetitions import RecordedRepetition
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase, mean_during, samples_during, series_of
from edgeprof_collector.analysis.thresholds import (
    CONTENDED_CPU_RATIO,
    CONTENDED_MIN_SAMPLES,
    THROTTLED_CLOCK_RATIO,
    THROTTLED_MIN_SAMPLES,
)
from edgeprof_collector.analysis.verdict import Conditions, Flag, RaisedFlag, Repetition

_SECOND_NS = 1_000_000_000
# Chips whose heat is not that of a processor.
_OTHER_CHIPS = ("nvme", "drivetemp", "iwlwifi", "mt7921", "BAT", "ucsi")
# Of the reasons that a GPU gives for a lower clock, those that hold it back against its owner's wish while it is busy.
_GPU_THROTTLE_REASONS = ("power", "thermal")


def describe_repetitions(
    record: RunRecord, series: Sequence[Series], repetitions: Sequence[RecordedRepetition]
) -> tuple[Repetition, ...]:
    """The conditions and flags of one step's repetitions."""
    conditions = [_conditions(record, series, each.start_monotonic_ns, each.end_monotonic_ns) for each in repetitions]
    clock_flags = _clocks_held_back(series, repetitions)
    return tuple(
        Repetition(
            index=repetition.reference.repetition,
            start_monotonic_ns=repetition.start_monotonic_ns,
            end_monotonic_ns=repetition.end_monotonic_ns,
            complete=repetition.complete,
            conditions=condition,
            flags=(*_contended(condition), *clock_flag, *_throttle_reasons(series, repetition)),
        )
        for repetition, condition, clock_flag in zip(repetitions, conditions, clock_flags, strict=True)
    )


def _conditions(record: RunRecord, series: Sequence[Series], start_ns: int, end_ns: int) -> Conditions:
    temperature_celsius, place = _hottest(series, start_ns, end_ns)
    return Conditions(
        temperature_celsius=temperature_celsius,
        temperature_place=place,
        cpu_clock_hertz=_fastest_core_hertz(series, start_ns, end_ns, least_samples=1),
        gpu_clock_hertz=_gpu_clock_hertz(series, start_ns, end_ns),
        background_cpu_ratio=background_cpu_ratio(series, record.started.device.logical_cores, start_ns, end_ns),
    )


def background_cpu_ratio(series: Sequence[Series], logical_cores: int, start_ns: int, end_ns: int) -> float | None:
    """Share of all cores' time that neither the workload nor the agent took.

    Over the samples of the busy share whose time lies inside the window: each says how busy the cores were since
    the sample before it. ``None`` with too few of them, or without the workload's own CPU time.
    """
    busy = series_of(series, "edgeprof_cpu_busy_ratio")
    workload = series_of(series, "edgeprof_workload_cpu_seconds_total")
    if not busy or not workload or not logical_cores:
        return None
    times = busy[0].times_monotonic_ns
    first = int(np.searchsorted(times, start_ns))
    last = int(np.searchsorted(times, end_ns, side="right")) - 1
    if last - first < CONTENDED_MIN_SAMPLES:
        return None
    spans_seconds = np.diff(times[first : last + 1]) / _SECOND_NS
    busy_seconds = float((busy[0].values[first + 1 : last + 1] * spans_seconds).sum()) * logical_cores
    own_seconds = counter_increase(workload[0], int(times[first]), int(times[last]))
    if own_seconds is None:
        return None
    for agent in series_of(series, "edgeprof_agent_cpu_seconds_total"):
        own_seconds += counter_increase(agent, int(times[first]), int(times[last])) or 0.0
    return max((busy_seconds - own_seconds) / (logical_cores * float(spans_seconds.sum())), 0.0)


def _hottest(series: Sequence[Series], start_ns: int, end_ns: int) -> tuple[float | None, str]:
    found: list[tuple[float, str]] = []
    for metric in ("edgeprof_temperature_celsius", "edgeprof_gpu_temperature_celsius"):
        for each in series_of(series, metric):
            place = " ".join(value for _, value in each.channel.labels)
            value = mean_during(each, start_ns, end_ns)
            if value is not None and not place.startswith(_OTHER_CHIPS):
                found.append((value, place))
    return max(found, default=(None, ""))


def _fastest_core_hertz(series: Sequence[Series], start_ns: int, end_ns: int, least_samples: int) -> float | None:
    """The highest of the cores' median clocks. Idle cores run slower, and by chance, so they say nothing.

    From samples inside the window alone: a clock changes at once when work begins, so nothing can be interpolated.
    """
    medians = []
    for core in series_of(series, "edgeprof_cpu_frequency_hertz"):
        inside = samples_during(core, start_ns, end_ns)
        if inside.size >= least_samples:
            medians.append(float(np.median(inside)))
    return max(medians, default=None)


def _gpu_clock_hertz(series: Sequence[Series], start_ns: int, end_ns: int) -> float | None:
    clocks = [each for each in series_of(series, "edgeprof_gpu_clock_hertz") if ("domain", "sm") in each.channel.labels]
    inside = [samples for each in clocks if (samples := samples_during(each, start_ns, end_ns)).size]
    return max((float(np.median(samples)) for samples in inside), default=None)


def _contended(conditions: Conditions) -> tuple[RaisedFlag, ...]:
    ratio = conditions.background_cpu_ratio
    if ratio is None or ratio < CONTENDED_CPU_RATIO:
        return ()
    return (RaisedFlag(flag=Flag.CONTENDED, evidence=f"other processes took {ratio:.0%} of all cores' time"),)


def _clocks_held_back(
    series: Sequence[Series], repetitions: Sequence[RecordedRepetition]
) -> list[tuple[RaisedFlag, ...]]:
    """Per repetition, a flag if its clock lay below that of the step's best one; none if too few samples tell."""
    clocks = [
        _fastest_core_hertz(series, each.start_monotonic_ns, each.end_monotonic_ns, THROTTLED_MIN_SAMPLES)
        for each in repetitions
    ]
    best_hertz = max((clock for clock in clocks if clock is not None), default=0.0)
    return [
        (RaisedFlag(flag=Flag.THROTTLED, evidence=_slower(clock, best_hertz)),)
        if clock is not None and clock < best_hertz * THROTTLED_CLOCK_RATIO
        else ()
        for clock in clocks
    ]


def _slower(clock_hertz: float, best_hertz: float) -> str:
    return f"CPU clock at {text_of(clock_hertz, 'hertz')}, {clock_hertz / best_hertz:.0%} of the step's best repetition"


def _throttle_reasons(series: Sequence[Series], repetition: RecordedRepetition) -> tuple[RaisedFlag, ...]:
    """What the kernel and the drivers themselves say of clocks that were held back."""
    start_ns, end_ns = repetition.start_monotonic_ns, repetition.end_monotonic_ns
    evidence = []
    for metric, place in (("edgeprof_gpu_throttled_ratio", "gpu"), ("edgeprof_throttled_ratio", "place")):
        for each in series_of(series, metric):
            labels = dict(each.channel.labels)
            reason = labels.get("reason", "")
            share = mean_during(each, start_ns, end_ns)
            if share and (place != "gpu" or reason in _GPU_THROTTLE_REASONS):
                evidence.append(f"{labels.get(place, '')} held back by {reason} for {share:.0%} of the time")
    for each in series_of(series, "edgeprof_cpu_throttle_events_total"):
        if counter_increase(each, start_ns, end_ns):
            counter = ", ".join(f"{name} {value}" for name, value in each.channel.labels)
            evidence.append(f"heat held the CPU's clock back, as counted by {counter}")
    return tuple(RaisedFlag(flag=Flag.THROTTLED, evidence=text) for text in evidence)
