"""Every family of sensors, and the sensors that this device has."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof_agent.sensors import (
    amdgpu,
    cpu,
    cpu_frequency,
    cpu_throttle,
    disk,
    drm_workload,
    hwmon,
    intel_gpu,
    jetson,
    memory,
    memory_traffic,
    network,
    nvml,
    paging,
    pressure,
    rapl,
    thermal_zone,
    workload,
)
from edgeprof_agent.sensors.apple import family as apple
from edgeprof_agent.sensors.sensor import Sensor

_LOG = logging.getLogger(__name__)

# A driver that has not answered by then is left out. NVML takes up to 3 s to wake a GPU without persistence mode.
_DISCOVERY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Family:
    """Sensors that are found together. ``discover`` returns those of the device whose files are under its root."""

    name: str
    discover: Callable[[Path], Sensor | Sequence[Sensor] | None]


FAMILIES = (
    Family("cpu", cpu.discover),
    Family("memory", memory.discover),
    Family("workload", workload.discover),
    Family("cpu_frequency", cpu_frequency.discover),
    Family("cpu_throttle", cpu_throttle.discover),
    Family("pressure", pressure.discover),
    Family("paging", paging.discover),
    Family("memory_traffic", memory_traffic.discover),
    Family("disk", disk.discover),
    Family("network", network.discover),
    Family("rapl", rapl.discover),
    Family("thermal_zone", thermal_zone.discover),
    Family("hwmon", hwmon.discover),
    Family("jetson", jetson.discover),
    Family("nvml", nvml.discover),
    Family("amdgpu", amdgpu.discover),
    Family("intel_gpu", intel_gpu.discover),
    Family("apple", apple.discover),
    Family("drm_workload", drm_workload.discover),
)


def discover_sensors(root: Path, families: Sequence[Family] = FAMILIES) -> tuple[Sensor, ...]:
    """Return the sensors of the device whose files are under ``root``: those that give values.

    A family that fails, or has not answered after ten seconds, is reported and left out.
    """
    found: list[Sensor] = []
    for family in families:
        search = _Search(family, root)
        search.start()
        search.join(_DISCOVERY_SECONDS)
        if search.is_alive():
            _LOG.warning("sensors of %s are left out: no answer for %.0f s", family.name, _DISCOVERY_SECONDS)
        elif search.error is not None:
            _LOG.warning("sensors of %s are left out: %s", family.name, search.error)
        else:
            found.extend(search.found)
    return tuple(found)


class _Search(threading.Thread):
    """One family's discovery, on a thread that can be left behind if a driver hangs."""

    def __init__(self, family: Family, root: Path) -> None:
        super().__init__(name=f"discover-{family.name}", daemon=True)
        self.found: tuple[Sensor, ...] = ()
        self.error: Exception | None = None
        self._family = family
        self._root = root

    def run(self) -> None:
        try:
            found = self._family.discover(self._root)
        except Exception as error:  # noqa: BLE001  whatever a family raises, the others must be found
            self.error = error
            return
        if found is not None:
            self.found = tuple(found) if isinstance(found, Sequence) else (found,)
