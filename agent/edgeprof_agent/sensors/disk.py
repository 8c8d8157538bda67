"""Bytes that each disk has read and written."""

from collections.abc import Sequence
from pathlib import Path

import psutil

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import Sensor

_SECTOR_BYTES = 512  # the unit of /proc/diskstats, whatever the disk's own sectors


def discover(root: Path) -> Sensor | None:
    """Return the disks' sensor: by ``/proc/diskstats`` where there is one, else by psutil.

    A disk is a block device with a device behind it: partitions, loops, memory disks and mapped volumes would count
    the same bytes again.
    """
    diskstats = root / "proc/diskstats"
    if diskstats.exists():
        disks = tuple(sorted(link.parent.name for link in root.glob("sys/block/*/device")))
        return Diskstats(diskstats, disks) if disks else None
    return PsutilDisks() if root == Path("/") and psutil.disk_io_counters(perdisk=True) else None


class Diskstats:
    """``/proc/diskstats``: sectors since boot."""

    name = "disk"
    tier = Tier.SLOW

    def __init__(self, diskstats: Path, disks: tuple[str, ...]) -> None:
        self._file = KernelFile(diskstats)
        self._channels = {disk.encode(): _channels(disk, "/proc/diskstats") for disk in disks}

    def sample(self) -> Sequence[Reading]:
        """Return both counters of each disk that is there."""
        readings = []
        for line in self._file.read_whole().splitlines():
            # kernel's Documentation/admin-guide/iostats.rst: field 6 sectors read, field 10 sectors written
            _, _, name, _, _, sectors_read, _, _, _, sectors_written, *_ = line.split()
            if channels := self._channels.get(name):
                readings.append(Reading(channels[0], int(sectors_read) * _SECTOR_BYTES))
                readings.append(Reading(channels[1], int(sectors_written) * _SECTOR_BYTES))
        return readings

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class PsutilDisks:
    """``psutil.disk_io_counters``, for platforms without ``/proc``."""

    name = "disk"
    tier = Tier.SLOW

    def __init__(self) -> None:
        self._channels: dict[str, tuple[Channel, Channel]] = {}

    def sample(self) -> Sequence[Reading]:
        """Return both counters of each disk that is there."""
        readings = []
        for disk, counters in psutil.disk_io_counters(perdisk=True).items():
            if disk not in self._channels:
                self._channels[disk] = _channels(disk, "psutil.disk_io_counters")
            read, written = self._channels[disk]
            readings += [Reading(read, counters.read_bytes), Reading(written, counters.write_bytes)]
        return readings


def _channels(disk: str, source: str) -> tuple[Channel, Channel]:
    return (
        channel("edgeprof_disk_read_bytes_total", source, disk=disk),
        channel("edgeprof_disk_written_bytes_total", source, disk=disk),
    )
