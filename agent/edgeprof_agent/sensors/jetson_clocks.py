"""Whether somebody has fixed a Jetson's clocks at their limits, as the ``jetson_clocks`` command does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.jetson_gpu import scaled_gpus
from edgeprof_agent.sensors.kernel_file import KernelFile, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the domains whose limits can be read: ``cpu``, ``gpu``, and Thor's ``memory``."""
    policies = sorted(root.glob("sys/devices/system/cpu/cpufreq/policy[0-9]*"))
    places = {
        "cpu": [(folder / "scaling_min_freq", folder / "scaling_max_freq") for folder in policies],
        "gpu": [(folder / "min_freq", folder / "max_freq") for folder in scaled_gpus(root)],
        "memory": [(folder / "min_freq", folder / "max_freq") for folder in root.glob("sys/class/devfreq/bwmgr")],
    }
    domains = tuple(
        _Domain(
            channel("edgeprof_clock_locked_ratio", source_of(limits[0][0], root), domain=domain),
            tuple((KernelFile(lowest), KernelFile(highest)) for lowest, highest in limits),
        )
        for domain, limits in places.items()
        if limits
    )
    sensor = JetsonClocks(domains)
    if sensor.read():
        return sensor
    sensor.close()
    return None


@dataclass(frozen=True, slots=True)
class _Domain:
    locked: Channel
    limits: tuple[tuple[KernelFile, KernelFile], ...]

    def read(self) -> float | None:
        """Return 1 if every part is locked, else 0; ``None`` if a part does not tell."""
        limits = [(lowest.read_int(), highest.read_int()) for lowest, highest in self.limits]
        if any(None in pair for pair in limits):
            return None
        return float(all(lowest == highest for lowest, highest in limits))


class JetsonClocks:
    """The lowest and highest clock that cpufreq and devfreq may choose."""

    name = "jetson_clocks"
    tier = Tier.SLOW

    def __init__(self, domains: tuple[_Domain, ...]) -> None:
        self._domains = domains

    def sample(self) -> Sequence[Reading]:
        """Return 1 for each domain whose clock is fixed and 0 for the others."""
        readings = self.read()
        if not readings:
            raise SensorLostError("no domain's limits can be read")
        return readings

    def read(self) -> list[Reading]:
        """Return what can be read."""
        states = [(domain.locked, domain.read()) for domain in self._domains]
        return [Reading(locked, state) for locked, state in states if state is not None]

    def close(self) -> None:
        """Close the files."""
        for domain in self._domains:
            for pair in domain.limits:
                for file in pair:
                    file.close()
