"""How much of the cores other processes took."""

from collections.abc import Sequence

import numpy as np

from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase, series_of
from edgeprof_collector.analysis.thresholds import CONTENDED_MIN_SAMPLES

_SECOND_NS = 1_000_000_000


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
