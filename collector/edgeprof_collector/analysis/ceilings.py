"""What is known of the bandwidth of the processor that ran a model."""

from dataclasses import dataclass

from edgeprof.run import CeilingMeasured, PeakMethod, RunRecord
from edgeprof_collector.analysis.placement import CPU
from edgeprof_collector.analysis.quantity import bytes_text
from edgeprof_collector.analysis.thresholds import CORE_LOADS_BYTES_PER_SECOND, LARGEST_GPU_CACHE_BYTES

MEASURED = "measured"


@dataclass(frozen=True, slots=True, order=True)
class Ceiling:
    """A bandwidth, and how it is known: ``measured``, or by which arithmetic or product."""

    bytes_per_second: float
    known_by: str


def measured_ceilings(record: RunRecord, processor: str) -> tuple[CeilingMeasured, ...]:
    """The bandwidths measured on a processor."""
    return tuple(ceiling for ceiling in record.ceilings if ceiling.processor == processor)


def read_ceiling(record: RunRecord, processor: str) -> Ceiling | None:
    """What MBU is a share of: the measured read peak, or else the computed one, or else the specified one."""
    if rates := [each.read_bytes_per_second for each in measured_ceilings(record, processor)]:
        return Ceiling(max(rates), MEASURED)
    for method in PeakMethod:
        for peak in record.peaks:
            if peak.processor == processor and peak.method is method:
                return Ceiling(peak.bytes_per_second, method.value)
    return None


def largest_ceiling(record: RunRecord, processor: str) -> Ceiling | None:
    """The largest bandwidth known of a processor's memory; ``None`` if nothing is."""
    known = [
        Ceiling(rate, MEASURED)
        for each in measured_ceilings(record, processor)
        for rate in (each.read_bytes_per_second, each.copy_bytes_per_second)
    ]
    known += [
        Ceiling(peak.bytes_per_second, f"{peak.method.value}: {peak.source}")
        for peak in record.peaks
        if peak.processor == processor
    ]
    return max(known, default=None)


def fitting_cache(record: RunRecord, processor: str) -> str:
    """The last-level cache that the weights fit, or may fit, so that memory need not be read; empty if none.

    Of a model with experts all weights count: each token uses others of them.
    """
    model = record.started.model
    weights = model.file_bytes if model.expert_count else model.weight_bytes_read_per_token
    if processor != CPU:
        cache = f"a GPU's last-level cache, which may have up to {bytes_text(LARGEST_GPU_CACHE_BYTES)}"
        return cache if weights <= LARGEST_GPU_CACHE_BYTES else ""
    cache_bytes = record.started.device.last_level_cache_bytes
    if cache_bytes is None or weights > cache_bytes:
        return ""
    return f"the last-level cache ({bytes_text(cache_bytes)})"


def cache_ceiling(record: RunRecord) -> Ceiling:
    """What the CPU's cores can load of their closest cache: a bound for weights that fit a cache, and without a peak.

    Of cores that are not told apart from threads, the threads count.
    """
    device = record.started.device
    cores = device.physical_cores or device.logical_cores
    known_by = f"what {cores} cores can load of their closest cache"
    return Ceiling(cores * CORE_LOADS_BYTES_PER_SECOND, known_by)
