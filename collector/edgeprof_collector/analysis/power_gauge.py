"""Joules by integrating a power gauge over time, where a device has no energy counter.

Between two samples power is taken to change linearly (trapezoids), and at the ends of a window it is interpolated. What
happened between the source's updates is not seen, so that a window must span several of them.
"""

from dataclasses import dataclass, replace

import numpy as np

from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import value_at
from edgeprof_collector.analysis.thresholds import AVERAGE_POWER_WINDOW_SECONDS, ENERGY_REACH_REFRESHES
from edgeprof_collector.analysis.verdict import EnergyMethod

_SECOND_NS = 1_000_000_000
# Two updates of a gauge may show the same value, so that the time between changes is a refresh or several: of those
# times, the lower quartile is one refresh as long as a quarter of them are.
_REFRESH_QUANTILE = 0.25


@dataclass(frozen=True, slots=True)
class PowerGauge:
    """A gauge of power. ``refresh_seconds`` is how often it changes, or the time that it averages over, if longer."""

    series: Series
    scope: str
    refresh_seconds: float

    @property
    def method(self) -> EnergyMethod:
        """How joules come about."""
        return EnergyMethod.INTEGRATED

    def joules(self, start_ns: int, end_ns: int, reach_seconds: float | None = None) -> float | None:
        """Joules in the window; ``None`` where samples in it or around its ends are missing."""
        reach_seconds = reach_seconds or self.refresh_seconds * ENERGY_REACH_REFRESHES
        first_watts = value_at(self.series, start_ns, reach_seconds)
        last_watts = value_at(self.series, end_ns, reach_seconds)
        if first_watts is None or last_watts is None:
            return None
        first, last = np.searchsorted(self.series.times_monotonic_ns, (start_ns + 1, end_ns))
        times = np.concatenate([[start_ns], self.series.times_monotonic_ns[first:last], [end_ns]])
        watts = np.concatenate([[first_watts], self.series.values[first:last], [last_watts]])
        seconds = np.diff(times) / _SECOND_NS
        if np.any(seconds > reach_seconds):
            return None
        return float((seconds * (watts[1:] + watts[:-1])).sum() / 2)


def power_gauge(series: Series, scope: str) -> PowerGauge | None:
    """The gauge of a series; ``None`` if it did not change at least twice, as no real power stands still."""
    if series.thinned is not None:
        # A mean stands for the middle of what it is over.
        starts_ns, ends_ns = series.thinned.starts_monotonic_ns, series.times_monotonic_ns
        series = replace(series, times_monotonic_ns=starts_ns + (ends_ns - starts_ns) // 2)
    changes = np.flatnonzero(np.diff(series.values)) + 1
    if changes.size < 3:
        return None
    intervals = np.diff(series.times_monotonic_ns[changes])
    refresh_seconds = float(np.quantile(intervals, _REFRESH_QUANTILE)) / _SECOND_NS
    if ("window", "average") in series.channel.labels:
        refresh_seconds = max(refresh_seconds, AVERAGE_POWER_WINDOW_SECONDS)
    return PowerGauge(series, scope, refresh_seconds)
