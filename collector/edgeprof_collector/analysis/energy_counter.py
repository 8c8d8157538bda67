"""Joules by a device's own energy counters.

The joules of a phase are the difference of the counter between the phase's ends, each interpolated linearly between
the two updates around it. A counter that was read more often than it changes is reduced to its changes first,
because between them it says nothing.
"""

from dataclasses import dataclass

import numpy as np

from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import counter_increase
from edgeprof_collector.analysis.thresholds import ENERGY_REACH_REFRESHES
from edgeprof_collector.analysis.verdict import EnergyMethod

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class EnergyCounter:
    """An energy counter reduced to its updates."""

    updates: Series
    scope: str
    refresh_seconds: float

    @property
    def series(self) -> Series:
        """Where its values come from."""
        return self.updates

    @property
    def method(self) -> EnergyMethod:
        """How joules come about."""
        return EnergyMethod.COUNTER

    def joules(self, start_ns: int, end_ns: int, reach_seconds: float | None = None) -> float | None:
        """Joules in the window; ``None`` where updates around its ends are missing or the counter was reset."""
        return counter_increase(
            self.updates, start_ns, end_ns, reach_seconds or self.refresh_seconds * ENERGY_REACH_REFRESHES
        )


def energy_counter(series: Series, scope: str) -> EnergyCounter | None:
    """The counter of a series; ``None`` if it never ran: it did not change at least twice."""
    changed = np.concatenate([[True], np.diff(series.values) != 0])
    times, values = series.times_monotonic_ns[changed], series.values[changed]
    if times.size < 3:
        return None
    updates = Series(channel=series.channel, times_monotonic_ns=times, values=values)
    # The first reading is not an update: nobody saw the counter change to it.
    refresh_seconds = float(np.median(np.diff(times[1:]))) / _SECOND_NS
    return EnergyCounter(updates, scope, refresh_seconds)
