"""How busy the CPU is, in all and core by core."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import Sensor

_ALL_CORES = ""


def discover(root: Path) -> Sensor | None:
    """Return the CPU's sensor: by ``/proc/stat`` where there is one, else by psutil."""
    proc_stat = root / "proc/stat"
    if proc_stat.exists():
        return ProcStatCpu(proc_stat)
    return PsutilCpu() if root == Path("/") else None


class BusyShares:
    """Shares of time from running totals of busy time and all time."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._channels: dict[str, Channel] = {}
        self._last: dict[str, tuple[float, float]] = {}

    def since_last(self, times: Iterable[tuple[str, float, float]]) -> list[Reading]:
        """Turn ``(core, busy time, all time)`` into shares of the time since the call before.

        A core that was not there at the call before, or whose clock has not ticked since, has no share.
        """
        readings = []
        for core, busy, total in times:
            last_busy, last_total = self._last.get(core, (busy, total))
            self._last[core] = (busy, total)
            if total > last_total:
                ratio = min(1.0, max(0.0, (busy - last_busy) / (total - last_total)))
                readings.append(Reading(self._channels.get(core) or self._add_channel(core), ratio))
        return readings

    def _add_channel(self, core: str) -> Channel:
        if core == _ALL_CORES:
            added = channel("edgeprof_cpu_busy_ratio", self._source)
        else:
            added = channel("edgeprof_cpu_core_busy_ratio", self._source, core=core)
        self._channels[core] = added
        return added


class ProcStatCpu:
    """``/proc/stat``, in clock ticks of usually 10 ms.

    Busy is user, nice, system, irq and softirq. Idle time, waiting for disks, and time that a hypervisor took away
    are not work.
    """

    name = "cpu"
    tier = Tier.FAST

    def __init__(self, proc_stat: Path) -> None:
        self._file = KernelFile(proc_stat)
        self._shares = BusyShares("/proc/stat")
        self.sample()

    def sample(self) -> Sequence[Reading]:
        """Return the shares since the sample before."""
        return self._shares.since_last(_times(self._file.read()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class PsutilCpu:
    """``psutil.cpu_times``, for platforms without ``/proc``."""

    name = "cpu"
    tier = Tier.FAST

    def __init__(self) -> None:
        self._shares = BusyShares("psutil.cpu_times")
        self.sample()

    def sample(self) -> Sequence[Reading]:
        """Return the shares since the sample before."""
        cores = [(sum(times) - times.idle, sum(times)) for times in psutil.cpu_times(percpu=True)]
        everything = (_ALL_CORES, sum(busy for busy, _ in cores), sum(total for _, total in cores))
        return self._shares.since_last([everything, *((str(core), *times) for core, times in enumerate(cores))])


def _times(proc_stat: bytes) -> Iterable[tuple[str, int, int]]:
    """Yield ``(core, busy, total)`` in clock ticks from the lines ``cpu`` and ``cpuN``."""
    for line in proc_stat.split(b"\n"):
        if not line.startswith(b"cpu"):
            return
        # proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time, behind it, is part of user time
        name, *ticks = line.split()[:9]
        _, _, _, idle, iowait, _, _, steal = counts = tuple(map(int, ticks))
        total = sum(counts)
        yield name[3:].decode(), total - idle - iowait - steal, total
