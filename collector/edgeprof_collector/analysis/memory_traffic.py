"""Bytes that moved to and from memory, as measured on the device, with the kind of their source."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase, mean_during, series_of

_SECOND_NS = 1_000_000_000
_COUNTER, _GAUGE = "edgeprof_memory_moved_bytes_total", "edgeprof_memory_bandwidth_bytes_per_second"
_SYSTEM = "system"
# The catalogue's kinds of source, the most direct first.
_SOURCES = ("hardware_counter", "activity_clock", "hardware_counter_16_bit", "histogram", "vendor_ratio", "derived")


@dataclass(frozen=True, slots=True)
class Traffic:
    """The mean traffic of a memory, reads and writes together; ``source`` is one of the catalogue's kinds."""

    bytes_per_second: float
    memory: str
    source: str


def memory_traffic(series: Sequence[Series], processor: str | None, start_ns: int, end_ns: int) -> Traffic | None:
    """Of the memory of the processor that ran the model, by the most direct source; else of the system's."""
    rates: dict[tuple[str, str], float] = defaultdict(float)
    for each in (*series_of(series, _COUNTER), *series_of(series, _GAUGE)):
        labels = dict(each.channel.labels)
        rate = _mean_rate(each, start_ns, end_ns)
        if rate is not None:
            rates[labels["memory"], labels["source"]] += rate
    for memory in (processor, _SYSTEM):
        for source in _SOURCES:
            if memory is not None and (memory, source) in rates:
                return Traffic(rates[memory, source], memory, source)
    return None


def _mean_rate(series: Series, start_ns: int, end_ns: int) -> float | None:
    if series.channel.metric == _GAUGE:
        return mean_during(series, start_ns, end_ns)
    increase = counter_increase(series, start_ns, end_ns)
    return None if increase is None else increase / ((end_ns - start_ns) / _SECOND_NS)
