"""Everything on a device that joules can be had from: its energy counters, and power gauges for what they leave out.

A rail is never added to another: packages contain cores, and boards contain both.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from edgeprof.device import DeviceFacts
from edgeprof_collector.analysis.energy_counter import energy_counter
from edgeprof_collector.analysis.power_gauge import power_gauge
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import series_of
from edgeprof_collector.analysis.verdict import EnergyMethod

_COUNTERS = ("edgeprof_energy_joules_total", "edgeprof_gpu_energy_joules_total")
_TOTAL, _RAIL = "edgeprof_power_total_watts", "edgeprof_power_watts"
# What is wider comes first.
_GAUGES = (
    _TOTAL,
    "edgeprof_gpu_module_power_watts",
    "edgeprof_gpu_power_watts",
    _RAIL,
    "edgeprof_gpu_memory_power_watts",
)
# Of metrics that tell of a part of a GPU, or of more than it.
_PARTS = {"edgeprof_gpu_module_power_watts": "module", "edgeprof_gpu_memory_power_watts": "memory"}
# How the kernel calls batteries. While one is charged, its power is not that of the device.
_BATTERY = "BAT"
_ON_BATTERY = "battery"
_AVERAGED = ("window", "average")


class EnergyMeter(Protocol):
    """A source of joules. ``scope`` names its rail or GPU; a phase shorter than some refreshes has no joules by it."""

    @property
    def series(self) -> Series:
        """Where its values come from."""
        ...

    @property
    def scope(self) -> str:
        """What it covers."""
        ...

    @property
    def refresh_seconds(self) -> float:
        """How often it has a new value."""
        ...

    @property
    def method(self) -> EnergyMethod:
        """How joules come about."""
        ...

    def joules(self, start_ns: int, end_ns: int, reach_seconds: float | None = None) -> float | None:
        """Joules in the window; ``None`` where values further apart than ``reach_seconds`` leave them open."""
        ...


def energy_meters(series: Sequence[Series], device: DeviceFacts) -> tuple[EnergyMeter, ...]:
    """Counters first, then gauges of what no counter covers."""
    meters: dict[str, EnergyMeter] = {}
    for metric in _COUNTERS:
        for each in series_of(series, metric):
            if (counter := energy_counter(each, _scope(each))) is not None:
                meters[counter.scope] = counter
    for each in _gauges(series, device):
        if _scope(each) not in meters and (gauge := power_gauge(each, _scope(each))) is not None:
            meters[gauge.scope] = gauge
    return tuple(meters.values())


def _gauges(series: Sequence[Series], device: DeviceFacts) -> Iterator[Series]:
    """Those that may tell of the workload; of a GPU's, the momentary ones before the averages."""
    totals = {rails for each in series_of(series, _TOTAL) for _, rails in each.channel.labels}
    for metric in _GAUGES:
        for each in sorted(series_of(series, metric), key=lambda found: _AVERAGED in found.channel.labels):
            labels = dict(each.channel.labels)
            is_total = metric == _RAIL and labels["rail"] in totals
            is_charger = labels.get("chip", "").startswith(_BATTERY) and device.power_source != _ON_BATTERY
            if not is_total and not is_charger and np.any(each.values > 0):
                yield each


def _scope(series: Series) -> str:
    """What a meter is of, the same for a counter and a gauge of the same."""
    metric, labels = series.channel.metric, dict(series.channel.labels)
    if metric == _TOTAL:
        rails = labels["rails"].split("+")
        return rails[0] if len(rails) == 1 else f"sum of {', '.join(rails)}"
    if "gpu" in labels:
        return f"{labels['gpu']} {_PARTS.get(metric, '')}".strip()
    return f"{labels['chip']} {labels['rail']}"
