"""How long tasks waited for CPU, memory and disks: the kernel's pressure stall information."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_RESOURCES = ("cpu", "memory", "io")


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the resources whose pressure the kernel tells; many kernels have it switched off."""
    sensor = Pressure(tuple(_Resource(root, name) for name in _RESOURCES))
    return sensor if sensor.read() else None


def stalled_seconds(content: str) -> dict[str, float]:
    """Return the time waited by ``some`` and by all (``full``) tasks since boot.

    Source: the kernel's Documentation/accounting/psi.rst; ``total`` is in microseconds.
    """
    seconds = {}
    for line in content.splitlines():
        share, _, fields = line.partition(" ")
        total_us = fields.rpartition("total=")[2]
        if share in ("some", "full") and "total=" in fields and total_us.isdecimal() and total_us.isascii():
            seconds[share] = int(total_us) / 1e6
    return seconds


class Pressure:
    """``/proc/pressure/*``: running totals, so nothing between two samples is missed."""

    name = "pressure"
    tier = Tier.SLOW

    def __init__(self, resources: tuple["_Resource", ...]) -> None:
        self._resources = resources

    def sample(self) -> Sequence[Reading]:
        """Return the totals of each resource."""
        readings = self.read()
        if not readings:
            raise SensorLostError("the kernel tells no pressure")
        return readings

    def read(self) -> list[Reading]:
        """Return the totals that can be read."""
        return [reading for resource in self._resources for reading in resource.read()]

    def close(self) -> None:
        """Close the files."""
        for resource in self._resources:
            resource.close()


class _Resource:
    def __init__(self, root: Path, resource: str) -> None:
        self._file = KernelFile(root / "proc/pressure" / resource)
        # All tasks cannot wait for the CPU, since one has it: the kernel prints that line as zeros.
        shares = ("some",) if resource == "cpu" else ("some", "full")
        self._channels: dict[str, Channel] = {
            share: channel(
                "edgeprof_pressure_seconds_total", f"/proc/pressure/{resource}", resource=resource, share=share
            )
            for share in shares
        }

    def read(self) -> list[Reading]:
        try:
            content = self._file.read(4096).decode("ascii", "replace")
        except OSError:  # the kernel was built without it, or started with psi=0
            return []
        seconds = stalled_seconds(content)
        return [Reading(found, seconds[share]) for share, found in self._channels.items() if share in seconds]

    def close(self) -> None:
        self._file.close()
