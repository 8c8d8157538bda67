"""Peak memory of the workload, by kind where somebody tells, and the headroom that was left."""

from collections.abc import Sequence

from edgeprof.run import PhaseKind, RunRecord
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import highest_during, last_before, lowest_during, series_of
from edgeprof_collector.analysis.verdict import DeviceMemory, MemoryVerdict

WORKLOAD_DEVICE_MEMORY = "edgeprof_workload_gpu_memory_bytes"


def memory_verdict(record: RunRecord, series: Sequence[Series], end_ns: int) -> MemoryVerdict:
    """Memory from the run's start to ``end_ns``.

    Headroom is 1 - peak / memory, the smallest over the host and every GPU with memory of its own.
    """
    start_ns = record.started.monotonic_ns
    total_bytes = record.started.device.memory_total_bytes
    peak_bytes, peak_source = _peak_resident(record, series, end_ns)
    devices = _device_memory(record, series, end_ns)
    used_ratios = [device.peak_used_bytes / device.total_bytes for device in devices if device.total_bytes]
    if peak_bytes is not None and total_bytes:
        used_ratios.append(peak_bytes / total_bytes)
    return MemoryVerdict(
        total_bytes=total_bytes,
        peak_resident_bytes=peak_bytes,
        peak_source=peak_source,
        file_backed_bytes=_highest(series, "edgeprof_workload_resident_file_bytes", start_ns, end_ns),
        anonymous_bytes=_highest(series, "edgeprof_workload_resident_anonymous_bytes", start_ns, end_ns),
        lowest_available_bytes=_lowest_available(series, start_ns, end_ns),
        headroom_ratio=1 - max(used_ratios) if used_ratios else None,
        devices=devices,
    )


def _peak_resident(record: RunRecord, series: Sequence[Series], end_ns: int) -> tuple[int | None, str]:
    finished = record.finished
    start_ns = record.started.monotonic_ns
    marked = _highest(series, "edgeprof_workload_resident_peak_bytes", start_ns, end_ns)
    if finished is not None and finished.peak_resident_bytes is not None:
        # What the engine has started is only in the telemetry: the run's own mark is of the engine's process.
        return max(finished.peak_resident_bytes, marked or 0), "the kernel's high-water mark"
    if marked is not None:
        return marked, "the kernel's high-water mark, last seen in telemetry"
    sampled = _highest(series, "edgeprof_workload_resident_bytes", start_ns, end_ns)
    return sampled, "" if sampled is None else "the highest sample; peaks between samples are missed"


def _device_memory(record: RunRecord, series: Sequence[Series], end_ns: int) -> tuple[DeviceMemory, ...]:
    start_ns = record.started.monotonic_ns
    unified = {each.name for each in record.started.device.accelerators if each.unified_memory}
    totals = {each.name: each.memory_total_bytes for each in record.started.device.accelerators}
    loads = [phase.start_monotonic_ns for phase in record.phases if phase.kind is PhaseKind.LOAD]
    devices = []
    for used in series_of(series, "edgeprof_gpu_memory_used_bytes"):
        gpu = dict(used.channel.labels).get("gpu", "")
        peak = highest_during(used, start_ns, end_ns)
        if peak is None or gpu in unified:
            continue
        before = last_before(used, min(loads, default=start_ns))
        devices.append(
            DeviceMemory(
                gpu=gpu,
                peak_used_bytes=round(peak),
                used_before_bytes=None if before is None else round(before),
                total_bytes=totals.get(gpu),
            )
        )
    return tuple(devices)


def variant_peak_bytes(record: RunRecord, variant: int) -> int | None:
    """The highest mark of the processes that ran this variant and no other.

    ``None`` unless each process that loaded it told of one: another variant has been in it, or the run was cut.
    """
    marks = [each.peak_resident_bytes for each in record.variant_memory if each.variant == variant]
    loads = [each for each in record.loaded if each.variant == variant]
    return max(marks) if marks and len(marks) == len(loads) else None


def variant_device_bytes(record: RunRecord, series: Sequence[Series], variant: int) -> dict[str, int]:
    """The highest samples of the workload's device memory, by GPU, while this variant loaded or ran."""
    phases = [phase for phase in record.phases if phase.step and phase.step.variant == variant]
    found: dict[str, int] = {}
    for used in series_of(series, WORKLOAD_DEVICE_MEMORY):
        gpu = dict(used.channel.labels).get("gpu", "")
        peaks = [highest_during(used, phase.start_monotonic_ns, phase.end_monotonic_ns) for phase in phases]
        highest = max((peak for peak in peaks if peak is not None), default=None)
        if highest is not None:
            found[gpu] = max(found.get(gpu, 0), round(highest))
    return found


def _highest(series: Sequence[Series], metric: str, start_ns: int, end_ns: int) -> int | None:
    found = [highest_during(each, start_ns, end_ns) for each in series_of(series, metric)]
    return max((round(value) for value in found if value is not None), default=None)


def _lowest_available(series: Sequence[Series], start_ns: int, end_ns: int) -> int | None:
    available = series_of(series, "edgeprof_memory_available_bytes")
    found = [lowest_during(each, start_ns, end_ns) for each in available]
    return min((round(value) for value in found if value is not None), default=None)
