"""What sampling costs, and how well it goes: the agent's own channels."""

import resource
from collections.abc import Sequence

import psutil

from edgeprof.catalogue import channel
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sampling.cadence import Due
from edgeprof_agent.sampling.guard import GuardedSensor

_SECOND_NS = 1_000_000_000


class SamplingCost:
    """Health of each sensor, lateness of the ticks, CPU time and memory of the agent."""

    def __init__(self, guards: Sequence[GuardedSensor]) -> None:
        source = "edgeprof-agent"
        self._sensors = tuple(_SensorHealth(guard, source) for guard in guards)
        self._lateness = channel("edgeprof_sampler_lateness_seconds", source)
        self._missed = channel("edgeprof_sampler_missed_ticks_total", source)
        self._cpu = channel("edgeprof_agent_cpu_seconds_total", "getrusage")
        self._resident = channel("edgeprof_agent_resident_bytes", "psutil.Process.memory_info")
        self._process = psutil.Process()
        self._largest_lateness_ns = 0
        self._missed_ticks = 0

    def note(self, due: Due) -> None:
        """Take account of a tick."""
        self._largest_lateness_ns = max(self._largest_lateness_ns, due.lateness_ns)
        self._missed_ticks += due.missed_ticks

    def report(self, now_ns: int) -> list[Reading]:
        """Return all readings. The largest lateness is counted anew from here on."""
        readings = [reading for sensor in self._sensors for reading in sensor.readings(now_ns)]
        used = resource.getrusage(resource.RUSAGE_SELF)
        readings += (
            Reading(self._lateness, self._largest_lateness_ns / _SECOND_NS),
            Reading(self._missed, self._missed_ticks),
            Reading(self._cpu, used.ru_utime + used.ru_stime),
            Reading(self._resident, self._process.memory_info().rss),
        )
        self._largest_lateness_ns = 0
        return readings


class _SensorHealth:
    """The three channels of one sensor."""

    def __init__(self, guard: GuardedSensor, source: str) -> None:
        self._guard = guard
        self._seconds: Channel = channel("edgeprof_sensor_sample_seconds", source, sensor=guard.name)
        self._up: Channel = channel("edgeprof_sensor_up_ratio", source, sensor=guard.name)
        self._age: Channel = channel("edgeprof_sensor_age_seconds", source, sensor=guard.name)

    def readings(self, now_ns: int) -> list[Reading]:
        """Return what is known of it: nothing before its first sample ended or hung, no age before it gave values."""
        guard = self._guard
        readings = []
        is_up = guard.is_up(now_ns)
        if guard.duration_ns is not None or not is_up:
            readings.append(Reading(self._up, float(is_up)))
        if guard.duration_ns is not None:
            readings.append(Reading(self._seconds, guard.duration_ns / _SECOND_NS))
        if guard.last_success_ns is not None:
            readings.append(Reading(self._age, max(0, now_ns - guard.last_success_ns) / _SECOND_NS))
        return readings
