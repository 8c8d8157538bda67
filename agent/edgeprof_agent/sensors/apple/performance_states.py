"""Clocks, and how busy the GPU is, from the time that was spent in each performance state."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.apple.frequency_tables import core_clocks_hertz, gpu_clocks_hertz
from edgeprof_agent.sensors.apple.io_registry import IORegistry
from edgeprof_agent.sensors.apple.io_report import IOReport
from edgeprof_agent.sensors.apple.mac import GPU
from edgeprof_agent.sensors.apple.report_session import ReportSession

GPU_GROUP, GPU_SUBGROUP, _GPU_CHANNEL = "GPU Stats", "GPU Performance States", "GPUPH"
CPU_GROUP, CPU_SUBGROUP = "CPU Stats", "CPU Core Performance States"
_CORE = re.compile(r"(?:DIE_\d+_)?([EPM])CPU\d*(?:_CPU\d+)?")
_IDLE_STATES = ("OFF", "IDLE", "DOWN")


@dataclass(frozen=True, slots=True)
class StateTimes:
    """How one channel's time was spent: ``active`` by performance state from the lowest up, in ticks."""

    idle: int
    active: tuple[int, ...]

    @property
    def busy_ratio(self) -> float | None:
        """The share of time that was not idle; ``None`` if no time was counted."""
        total = self.idle + sum(self.active)
        return sum(self.active) / total if total > 0 else None

    def mean_hertz(self, clocks_hertz: Sequence[float]) -> float | None:
        """Return the mean clock while it ran; ``None`` if it never did, or has other states than there are clocks."""
        total = sum(self.active)
        if total <= 0 or len(clocks_hertz) != len(self.active):
            return None
        return sum(time * clock for time, clock in zip(self.active, clocks_hertz, strict=True)) / total


def state_times(states: Sequence[str], residencies: Sequence[int]) -> StateTimes | None:
    """Part the time by the states' names; ``None`` if they do not match or a counter fell, as after a sleep."""
    if len(states) != len(residencies) or any(time < 0 for time in residencies):
        return None
    named = list(zip(states, residencies, strict=True))
    return StateTimes(
        idle=sum(time for name, time in named if name in _IDLE_STATES),
        active=tuple(time for name, time in named if name not in _IDLE_STATES),
    )


def open_gpu(report: IOReport, registry: IORegistry) -> "AppleGpu":
    """Subscribe to the GPU's states.

    Raises:
        ReportUnavailableError: this macOS does not give them.
    """
    session = ReportSession(report, GPU_GROUP, GPU_SUBGROUP, lambda name: name == _GPU_CHANNEL)
    return AppleGpu(session, gpu_clocks_hertz(registry))


class AppleGpu:
    """The GPU since the sample before: the share of time that it was on, and its mean clock while it was."""

    name = "apple_gpu"
    tier = Tier.FAST
    worker = "ioreport"

    def __init__(self, session: ReportSession, clocks_hertz: tuple[float, ...]) -> None:
        source = session.channels[0].source
        self._session = session
        self._clocks_hertz = clocks_hertz
        self._busy = channel("edgeprof_gpu_busy_ratio", source, gpu=GPU)
        self._clock = channel("edgeprof_gpu_clock_hertz", source, gpu=GPU, domain="sm")

    def sample(self) -> Sequence[Reading]:
        """Return how busy it was, and its clock if it ran at all and its states are those of the registry."""
        with self._session.interval() as interval:
            times = state_times(self._session.channels[0].states, interval.residencies(0))
        if times is None or times.busy_ratio is None:
            return ()
        readings = [Reading(self._busy, times.busy_ratio)]
        hertz = times.mean_hertz(self._clocks_hertz)
        if hertz is not None:
            readings.append(Reading(self._clock, hertz))
        return readings

    def close(self) -> None:
        """End the subscription."""
        self._session.close()


def open_cores(report: IOReport, registry: IORegistry) -> "AppleCores":
    """Subscribe to the cores' states.

    Raises:
        ReportUnavailableError: this macOS does not give them.
    """
    session = ReportSession(report, CPU_GROUP, CPU_SUBGROUP, lambda name: _CORE.fullmatch(name) is not None)
    return AppleCores(session, core_clocks_hertz(registry))


class AppleCores:
    """The mean clock of each core while it ran since the sample before, under the driver's name of the core."""

    name = "apple_cores"
    tier = Tier.SLOW
    worker = "ioreport"

    def __init__(self, session: ReportSession, clocks_hertz: dict[str, tuple[float, ...]]) -> None:
        self._session = session
        self._clocks_hertz = clocks_hertz
        self._cores = self._find_cores()

    def sample(self) -> Sequence[Reading]:
        """Return the clocks of the cores that ran."""
        readings = []
        with self._session.interval() as interval:
            if self._session.has_begun_anew():
                self._cores = self._find_cores()
            for index, (found, clocks_hertz) in enumerate(self._cores):
                times = state_times(self._session.channels[index].states, interval.residencies(index))
                hertz = times.mean_hertz(clocks_hertz) if times else None
                if hertz is not None:
                    readings.append(Reading(found, hertz))
        return readings

    def close(self) -> None:
        """End the subscription."""
        self._session.close()

    def _find_cores(self) -> list[tuple[Channel, tuple[float, ...]]]:
        cores = []
        for each in self._session.channels:
            match = _CORE.fullmatch(each.name)
            clocks_hertz = self._clocks_hertz.get(match[1], ()) if match else ()
            cores.append((channel("edgeprof_cpu_frequency_hertz", each.source, core=each.name), clocks_hertz))
        return cores
