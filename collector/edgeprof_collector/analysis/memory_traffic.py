"""Bytes that moved to and from memory, as measured on the device, with the kind of their source."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase, mean_during, series_of
from edgeprof_collector.analysis.thresholds import TRAFFIC_MIN_REFRESHES

_SECOND_NS = 1_000_000_000
_COUNTER, _GAUGE = "edgeprof_memory_moved_bytes_total", "edgeprof_memory_bandwidth_bytes_per_second"
_SYSTEM = "system"
# The catalogue's kinds of source, the most direct first.
_SOURCES = ("hardware_counter", "activity_clock", "hardware_counter_16_bit", "histogram", "vendor_ratio", "derived")
# Its refresh is looked for in the window and so much around it.
_AROUND_SECONDS = 10.0
_LEAST_CHANGES = 2
# As of a gauge of power: two refreshes may show the same value.
_REFRESH_QUANTILE = 0.25


@dataclass(frozen=True, slots=True)
class Traffic:
    """The mean traffic of a memory, reads and writes together; ``source`` is one of the catalogue's kinds.

    ``missing`` says why there is no number; empty, there is one.
    """

    bytes_per_second: float | None
    memory: str
    source: str
    missing: str = ""


def memory_traffic(series: Sequence[Series], processor: str | None, start_ns: int, end_ns: int) -> Traffic | None:
    """Of the memory of the processor that ran the model, by the most direct source; else of the system's.

    A window of fewer than two of the source's refreshes has no number: most of it could be of before or after.
    """
    rates: dict[tuple[str, str], float] = defaultdict(float)
    refresh_seconds: dict[tuple[str, str], float] = defaultdict(float)
    for each in (*series_of(series, _COUNTER), *series_of(series, _GAUGE)):
        labels = dict(each.channel.labels)
        rate = _mean_rate(each, start_ns, end_ns)
        if rate is not None:
            place = labels["memory"], labels["source"]
            rates[place] += rate
            refresh_seconds[place] = max(refresh_seconds[place], _refresh_seconds(each, start_ns, end_ns))
    for memory in (processor, _SYSTEM):
        for source in _SOURCES:
            if memory is not None and (memory, source) in rates:
                return _traffic(memory, source, rates, refresh_seconds, (end_ns - start_ns) / _SECOND_NS)
    return None


def _traffic(
    memory: str,
    source: str,
    rates: Mapping[tuple[str, str], float],
    refresh_seconds: Mapping[tuple[str, str], float],
    window_seconds: float,
) -> Traffic:
    refresh = refresh_seconds[memory, source]
    if window_seconds < refresh * TRAFFIC_MIN_REFRESHES:
        missing = f"too short: {window_seconds:.3g} s, and it is known every {refresh:.3g} s"
        return Traffic(None, memory, source, missing)
    return Traffic(rates[memory, source], memory, source)


def _mean_rate(series: Series, start_ns: int, end_ns: int) -> float | None:
    if series.channel.metric == _GAUGE:
        return mean_during(series, start_ns, end_ns)
    increase = counter_increase(series, start_ns, end_ns)
    return None if increase is None else increase / ((end_ns - start_ns) / _SECOND_NS)


def _refresh_seconds(series: Series, start_ns: int, end_ns: int) -> float:
    """How often the source changes around a window: the lower quartile of the times between changes.

    One that stands still is known as often as it was read.
    """
    reach_ns = int(_AROUND_SECONDS * _SECOND_NS)
    first, last = np.searchsorted(series.times_monotonic_ns, (start_ns - reach_ns, end_ns + reach_ns))
    times = series.times_monotonic_ns[first:last]
    changed = times[1:][np.diff(series.values[first:last]) != 0]
    intervals = np.diff(changed if changed.size > _LEAST_CHANGES else times)
    return float(np.quantile(intervals, _REFRESH_QUANTILE)) / _SECOND_NS if intervals.size else 0.0
