"""Memory traffic by the counters of the last-level caches: the kernel's resource control file system."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_MOUNT = "sys/fs/resctrl"
_NOT_GROUPS = ("info", "mon_data", "mon_groups")


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the caches' counters if an owner has mounted resctrl and they give values.

    Where somebody has made control groups, the files of the root count only what is in none of them: they are left
    alone. Source: the kernel's Documentation/filesystems/resctrl.rst.
    """
    mount = root / _MOUNT
    try:
        groups = [folder for folder in mount.iterdir() if folder.is_dir() and folder.name not in _NOT_GROUPS]
    except OSError:  # not mounted, or not permitted
        return None
    if groups:
        return None
    files = sorted(mount.glob("mon_data/mon_L3_*/mbm_total_bytes"))
    sensor = Resctrl(tuple(KernelFile(path) for path in files))
    return sensor if sensor.read() else None


class Resctrl:
    """``mbm_total_bytes`` of every last-level cache, local and remote memory together. Each read asks a processor."""

    name = "memory_traffic"
    tier = Tier.SLOW
    worker = "memory_traffic"

    def __init__(self, files: tuple[KernelFile, ...]) -> None:
        self._files = files
        self._last: dict[KernelFile, int] = {}
        self._total = 0
        self._moved = channel(
            "edgeprof_memory_moved_bytes_total",
            f"/{_MOUNT}/mon_data/mon_L3_*/mbm_total_bytes",
            direction="both",
            memory="system",
            source="hardware_counter",
        )

    def sample(self) -> Sequence[Reading]:
        """Return the bytes moved, all caches together."""
        readings = self.read()
        if not readings:
            raise SensorLostError("no cache counts its traffic any more")
        return readings

    def read(self) -> list[Reading]:
        """Return the total; a cache whose counter says ``Unavailable`` this time adds nothing."""
        values = {file: value for file in self._files if (value := file.read_int()) is not None}
        for file, value in values.items():
            gained = value - self._last.get(file, 0)
            self._total += gained if gained >= 0 else value  # a counter that has fallen began again from nothing
            self._last[file] = value
        return [Reading(self._moved, self._total)] if values else []

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()
