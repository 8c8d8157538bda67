"""What each repetition was taken at, and the flags that follow."""

from collections.abc import Sequence

from edgeprof.run import RunRecord
from edgeprof.telemetry import Channel
from edgeprof_collector.analysis.clocks import clocks_held_back, cpu_clock_hertz, gpu_clock_hertz
from edgeprof_collector.analysis.contention import background_cpu_ratio
from edgeprof_collector.analysis.energy import mean_watts
from edgeprof_collector.analysis.energy_meters import EnergyMeter
from edgeprof_collector.analysis.memory_traffic import memory_traffic
from edgeprof_collector.analysis.repetitions import RecordedRepetition
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase, mean_during, series_of
from edgeprof_collector.analysis.thresholds import CONTENDED_CPU_RATIO
from edgeprof_collector.analysis.throttling import CAUSES, throttling_during
from edgeprof_collector.analysis.verdict import Conditions, Flag, RaisedFlag, Repetition, Throttling

_SECOND_NS = 1_000_000_000
# Chips, and zones of the board, whose heat is not that of a processor.
_OTHER_CHIPS = ("nvme", "drivetemp", "iwlwifi", "mt7921", "BAT", "ucsi")
_ZONES = "thermal_zone"


def describe_repetitions(
    record: RunRecord,
    series: Sequence[Series],
    repetitions: Sequence[RecordedRepetition],
    meter: EnergyMeter | None,
    processor: str | None,
) -> tuple[Repetition, ...]:
    """The conditions and flags of one step's repetitions, which ``processor`` ran; ``meter`` tells their power."""
    clock_flags = clocks_held_back(series, repetitions, processor)
    return tuple(
        _describe(repetition, _conditions(record, series, repetition, meter, processor), series, flags)
        for repetition, flags in zip(repetitions, clock_flags, strict=True)
    )


def _describe(
    repetition: RecordedRepetition, conditions: Conditions, series: Sequence[Series], clock_flags: Sequence[RaisedFlag]
) -> Repetition:
    start_ns, end_ns = repetition.start_monotonic_ns, repetition.end_monotonic_ns
    throttling = throttling_during(series, start_ns, end_ns)
    held_back = [_throttled(each, (end_ns - start_ns) / _SECOND_NS) for each in throttling]
    return Repetition(
        index=repetition.reference.repetition,
        start_monotonic_ns=start_ns,
        end_monotonic_ns=end_ns,
        complete=repetition.complete,
        conditions=conditions,
        throttling=throttling,
        flags=(*_contended(conditions), *clock_flags, *held_back),
    )


def _conditions(
    record: RunRecord,
    series: Sequence[Series],
    repetition: RecordedRepetition,
    meter: EnergyMeter | None,
    processor: str | None,
) -> Conditions:
    start_ns, end_ns = repetition.start_monotonic_ns, repetition.end_monotonic_ns
    temperature_celsius, place = _hottest(series, start_ns, end_ns)
    traffic = memory_traffic(series, processor, start_ns, end_ns)
    watts = mean_watts(meter, start_ns, end_ns) if meter else None
    return Conditions(
        temperature_celsius=temperature_celsius,
        temperature_place=place,
        cpu_clock_hertz=cpu_clock_hertz(series, start_ns, end_ns),
        gpu_clock_hertz=gpu_clock_hertz(series, processor, start_ns, end_ns),
        background_cpu_ratio=background_cpu_ratio(series, record.started.device.logical_cores, start_ns, end_ns),
        power_watts=watts,
        power_scope=meter.scope if meter and watts is not None else "",
        memory_traffic_bytes_per_second=traffic.bytes_per_second if traffic else None,
        memory_traffic_source=f"{traffic.memory}, {traffic.source}" if traffic else "",
        memory_traffic_missing=traffic.missing if traffic else "",
        major_page_fault_count=_major_page_faults(series, start_ns, end_ns),
    )


def _hottest(series: Sequence[Series], start_ns: int, end_ns: int) -> tuple[float | None, str]:
    found: list[tuple[float, str]] = []
    for metric in ("edgeprof_temperature_celsius", "edgeprof_gpu_temperature_celsius"):
        for each in series_of(series, metric):
            value = mean_during(each, start_ns, end_ns)
            if value is not None and not any(label.startswith(_OTHER_CHIPS) for _, label in each.channel.labels):
                found.append((value, _place(each.channel)))
    return max(found, default=(None, ""))


def _place(channel: Channel) -> str:
    """Chip and place, or GPU and place; of the kernel's thermal zones the place alone."""
    return " ".join(value for _, value in channel.labels if value != _ZONES)


def _major_page_faults(series: Sequence[Series], start_ns: int, end_ns: int) -> int | None:
    faults = series_of(series, "edgeprof_workload_major_page_faults_total")
    increase = counter_increase(faults[0], start_ns, end_ns) if faults else None
    return None if increase is None else round(increase)


def _contended(conditions: Conditions) -> tuple[RaisedFlag, ...]:
    ratio = conditions.background_cpu_ratio
    if ratio is None or ratio < CONTENDED_CPU_RATIO:
        return ()
    return (RaisedFlag(flag=Flag.CONTENDED, evidence=f"other processes took {ratio:.0%} of all cores' time"),)


def _throttled(throttling: Throttling, duration_seconds: float) -> RaisedFlag:
    parts = []
    if throttling.seconds is not None:
        parts.append(f"for {throttling.seconds:.3g} s of {duration_seconds:.3g} s")
    if throttling.event_count is not None:
        parts.append(f"{throttling.event_count} {'time' if throttling.event_count == 1 else 'times'}")
    evidence = f"{throttling.place} held back by {CAUSES[throttling.reason]} {', '.join(parts)}"
    return RaisedFlag(flag=Flag.THROTTLED, evidence=evidence)
