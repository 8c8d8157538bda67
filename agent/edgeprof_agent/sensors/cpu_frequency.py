"""The clock of each core."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile, read_text, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the cores' clocks if the kernel scales them.

    Cores of one policy share a clock, so each policy is read once. ``/proc/cpuinfo`` is no substitute: in virtual
    machines it repeats the nominal clock.
    """
    policies = []
    for folder in sorted(root.glob("sys/devices/system/cpu/cpufreq/policy[0-9]*")):
        current = folder / "scaling_cur_freq"
        cores = (read_text(folder / "affected_cpus") or "").split()
        source = source_of(current, root)
        channels = tuple(channel("edgeprof_cpu_frequency_hertz", source, core=core) for core in cores)
        if channels:
            policies.append((KernelFile(current), channels))
    sensor = CpuFrequency(tuple(policies))
    return sensor if sensor.read() else None


class CpuFrequency:
    """cpufreq's ``scaling_cur_freq`` in kHz: measured by the hardware where it can, else what was last asked for."""

    name = "cpu_frequency"
    tier = Tier.SLOW

    def __init__(self, policies: tuple[tuple[KernelFile, tuple[Channel, ...]], ...]) -> None:
        self._policies = policies

    def sample(self) -> Sequence[Reading]:
        """Return the clock of each core that is online."""
        readings = self.read()
        if not readings:
            raise SensorLostError("no core's clock can be read")
        return readings

    def read(self) -> list[Reading]:
        """Return the clocks that can be read; a policy whose cores are all offline has none."""
        readings: list[Reading] = []
        for file, channels in self._policies:
            frequency_khz = file.read_int()
            if frequency_khz:
                readings.extend(Reading(channel, frequency_khz * 1000) for channel in channels)
        return readings

    def close(self) -> None:
        """Close the files."""
        for file, _ in self._policies:
            file.close()
