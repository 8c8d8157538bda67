"""The host's memory and swap."""

from collections.abc import Sequence
from pathlib import Path

import psutil

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.kernel_file import KernelFile, bytes_behind
from edgeprof_agent.sensors.sensor import Sensor


def discover(root: Path) -> tuple[Sensor, ...]:
    """Return the memory's sensors: by ``/proc/meminfo`` where there is one, else by psutil."""
    meminfo = root / "proc/meminfo"
    if meminfo.exists():
        return (MeminfoAvailable(meminfo), MeminfoTotals(meminfo))
    return (PsutilAvailable(), PsutilTotals()) if root == Path("/") else ()


class MeminfoAvailable:
    """``MemAvailable``: the kernel's estimate of what programs can still take without swapping."""

    name = "memory"
    tier = Tier.FAST

    def __init__(self, meminfo: Path) -> None:
        self._file = KernelFile(meminfo)
        self._available = channel("edgeprof_memory_available_bytes", "/proc/meminfo")

    def sample(self) -> Sequence[Reading]:
        """Return the memory available now."""
        available = bytes_behind(self._file.read(), b"MemAvailable:")
        return () if available is None else (Reading(self._available, available),)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class MeminfoTotals:
    """``MemTotal`` and the swap in use."""

    name = "memory_totals"
    tier = Tier.SLOW

    def __init__(self, meminfo: Path) -> None:
        self._file = KernelFile(meminfo)
        self._total = channel("edgeprof_memory_total_bytes", "/proc/meminfo")
        self._swap_used = channel("edgeprof_swap_used_bytes", "/proc/meminfo")

    def sample(self) -> Sequence[Reading]:
        """Return the total and the swap in use; a host without swap has no such reading."""
        content = self._file.read()
        readings = []
        total = bytes_behind(content, b"MemTotal:")
        if total is not None:
            readings.append(Reading(self._total, total))
        swap_total = bytes_behind(content, b"SwapTotal:")
        swap_free = bytes_behind(content, b"SwapFree:")
        if swap_total and swap_free is not None:
            readings.append(Reading(self._swap_used, swap_total - swap_free))
        return readings

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class PsutilAvailable:
    """``psutil.virtual_memory``, for platforms without ``/proc``."""

    name = "memory"
    tier = Tier.FAST

    def __init__(self) -> None:
        self._available = channel("edgeprof_memory_available_bytes", "psutil.virtual_memory")

    def sample(self) -> Sequence[Reading]:
        """Return the memory available now."""
        return (Reading(self._available, psutil.virtual_memory().available),)


class PsutilTotals:
    """``psutil.virtual_memory`` and ``psutil.swap_memory``, for platforms without ``/proc``."""

    name = "memory_totals"
    tier = Tier.SLOW

    def __init__(self) -> None:
        self._total = channel("edgeprof_memory_total_bytes", "psutil.virtual_memory")
        self._swap_used = channel("edgeprof_swap_used_bytes", "psutil.swap_memory")

    def sample(self) -> Sequence[Reading]:
        """Return the total and the swap in use."""
        return (
            Reading(self._total, psutil.virtual_memory().total),
            Reading(self._swap_used, psutil.swap_memory().used),
        )
