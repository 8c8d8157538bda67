"""Page faults that wait for a disk, and swapping, of the host as a whole."""

import os
from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import Sensor


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the host's paging if ``/proc/vmstat`` tells of it."""
    vmstat = root / "proc/vmstat"
    if not vmstat.exists():
        return None
    sensor = Paging(vmstat)
    return sensor if sensor.sample() else None


class Paging:
    """``pgmajfault``, ``pswpin`` and ``pswpout`` of ``/proc/vmstat``: events since boot, the latter two in pages."""

    name = "paging"
    tier = Tier.SLOW

    def __init__(self, vmstat: Path) -> None:
        self._file = KernelFile(vmstat)
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._events = tuple(
            (key, channel(metric, "/proc/vmstat"), scale)
            for key, metric, scale in (
                (b"pgmajfault", "edgeprof_major_page_faults_total", 1),
                (b"pswpin", "edgeprof_swap_in_bytes_total", page_bytes),
                (b"pswpout", "edgeprof_swap_out_bytes_total", page_bytes),
            )
        )

    def sample(self) -> Sequence[Reading]:
        """Return the counters that the kernel has; one without swap support has none of swapping."""
        content = b"\n" + self._file.read_whole()
        readings = []
        for key, found, scale in self._events:
            count = _count_behind(content, b"\n" + key + b" ")
            if count is not None:
                readings.append(Reading(found, count * scale))
        return readings

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _count_behind(content: bytes, key: bytes) -> int | None:
    start = content.find(key)
    if start < 0:
        return None
    digits = content[start + len(key) :].split(b"\n", 1)[0]
    return int(digits) if digits.isdigit() else None
