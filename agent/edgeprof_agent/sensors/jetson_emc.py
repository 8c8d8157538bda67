"""Memory of Jetson devices: how busy its controller (EMC) is, its clock, and the bandwidth that follows.

The controller counts the clocks in which it moved data. NVIDIA's drivers (actmon of JetPack 4 and 5, tegra-cactmon of
JetPack 6) divide the count by its window and show it in thousands per second, which compares with the clock in
kilohertz; the firmware's file on Thor is undocumented and taken to be the same. A count above the clock cannot be, so
that what has another unit is refused.
"""

from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.jetson_module import Module, find_module
from edgeprof_agent.sensors.jetson_power_mode import read_power_mode
from edgeprof_agent.sensors.kernel_file import KernelFile, read_int, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

MEMORY = "system"

# Where each generation of drivers shows it. Those under sys/kernel/debug need root.
_ACTIVITY = (
    "sys/kernel/debug/cactmon/mc_all",
    "sys/kernel/debug/bpmp/debug/actmon/mc_all_avg_activity",
    "sys/kernel/actmon_avg_activity/mc_all",
)
_CLOCK = (
    "sys/kernel/debug/bpmp/debug/clk/emc/rate",
    "sys/class/devfreq/bwmgr/cur_freq",
    "sys/kernel/debug/clk/override.emc/clk_rate",
    "sys/kernel/debug/clk/emc/clk_rate",
)
_MAXIMUM = (
    "sys/kernel/debug/bpmp/debug/clk/emc/max_rate",
    "sys/class/devfreq/bwmgr/max_freq",
    "sys/kernel/debug/tegra_bwmgr/emc_max_rate",
)
_CAP = "sys/kernel/nvpmodel_emc_cap/emc_iso_cap"  # of the power mode, in hertz; 0 for none

_MODES = "/etc/nvpmodel.conf"
_DATA_SHEET = "/proc/device-tree/compatible"  # names the module, and so its data sheet

# The clock may rise a little above its nominal limit.
_TOLERANCE = 1.05


def discover(root: Path) -> tuple[Sensor, ...]:
    """Return the sensors of memory's activity and clock, and of its limits: those that give values now."""
    module = find_module(root)
    activity, clock = JetsonMemory(root, module), JetsonMemoryLimits(root, module)
    found = []
    for sensor in (activity, clock):
        if sensor.read():
            found.append(sensor)
        else:
            sensor.close()
    return tuple(found)


class JetsonMemory:
    """Activity and clock of the memory controller now. Firmware may be asked, which takes a message to it and back."""

    name = "jetson_memory"
    tier = Tier.FAST
    worker = "bpmp"

    def __init__(self, root: Path, module: Module | None) -> None:
        activity, clock = _readable(root, _ACTIVITY), _readable(root, _CLOCK)
        self._activity_file = KernelFile(activity)
        self._clock_file = KernelFile(clock)
        self._module = module
        self._most_hertz = max(module.specified_hertz if module else 0, read_int(_readable(root, _MAXIMUM)) or 0)
        self._clock = channel("edgeprof_memory_clock_hertz", source_of(clock, root), memory=MEMORY)
        source = source_of(activity, root)
        self._busy = channel("edgeprof_memory_busy_ratio", source, memory=MEMORY)
        self._bandwidth = bandwidth_channel(source)

    def sample(self) -> Sequence[Reading]:
        """Return clock, busy share and bandwidth, as far as they can be read."""
        readings = self.read()
        if not readings:
            raise SensorLostError("the memory controller gives neither activity nor clock")
        return readings

    def read(self) -> list[Reading]:
        """Return what can be read."""
        readings = []
        clock_hertz = self._clock_file.read_int()
        if clock_hertz:
            readings.append(Reading(self._clock, clock_hertz))
        activity_hertz = self._activity_hertz(clock_hertz or 0)
        if activity_hertz is not None:
            if clock_hertz:  # which may have fallen within the window of the average
                readings.append(Reading(self._busy, min(1.0, activity_hertz / clock_hertz)))
            if self._module:
                readings.append(Reading(self._bandwidth, self._module.bandwidth(activity_hertz)))
        return readings

    def close(self) -> None:
        """Close the files."""
        self._activity_file.close()
        self._clock_file.close()

    def _activity_hertz(self, clock_hertz: int) -> float | None:
        activity_khz = self._activity_file.read_int()
        if activity_khz is None:
            return None
        most_hertz = self._most_hertz or clock_hertz
        return activity_khz * 1000 if 0 <= activity_khz * 1000 <= most_hertz * _TOLERANCE else None


class JetsonMemoryLimits:
    """The highest clock of memory that may be chosen now, and the bandwidth at it.

    The bandwidth is ``computed`` from that clock, or ``specified`` where only the data sheet names one.
    """

    name = "jetson_memory_limits"
    tier = Tier.SLOW
    worker = "bpmp"

    def __init__(self, root: Path, module: Module | None) -> None:
        self._root = root
        self._module = module

    def sample(self) -> Sequence[Reading]:
        """Return the highest clock, if it can be read, and the peak bandwidth, if the module is known."""
        return self.read()

    def read(self) -> list[Reading]:
        """Return what is known."""
        limit = memory_limit(self._root)
        if limit is None:
            return self._peak(self._module.specified_hertz, "specified", _DATA_SHEET) if self._module else []
        limit_hertz, source = limit
        maximum = channel("edgeprof_memory_clock_max_hertz", source, memory=MEMORY)
        return [Reading(maximum, limit_hertz), *self._peak(limit_hertz, "computed", source)]

    def close(self) -> None:
        """Hold nothing open: limits change too seldom."""

    def _peak(self, clock_hertz: float, basis: str, source: str) -> list[Reading]:
        if self._module is None:
            return []
        peak = channel("edgeprof_memory_bandwidth_peak_bytes_per_second", source, memory=MEMORY, source=basis)
        return [Reading(peak, self._module.bandwidth(clock_hertz))]


def memory_limit(root: Path) -> tuple[float, str] | None:
    """Return the highest clock of memory that may be chosen now, and who says so; ``None`` if this user is not told.

    It is the lowest of what hardware, cap and power mode allow. A mode's limit above the module's own says nothing.
    """
    mode, module = read_power_mode(root), find_module(root)
    of_mode = mode.memory_hertz if mode else None
    limits = [
        (float(hertz), source_of(path, root))
        for path in (_readable(root, _MAXIMUM), root / _CAP)
        if (hertz := read_int(path))
    ]
    if of_mode and (limits or (module and of_mode <= module.specified_hertz)):
        limits.append((of_mode, _MODES))
    return min(limits, default=None)


def bandwidth_channel(source: str) -> Channel:
    """Return the channel of bandwidth by the controller's activity, read from ``source``."""
    return channel(
        "edgeprof_memory_bandwidth_bytes_per_second", source, direction="both", memory=MEMORY, source="activity_clock"
    )


def _readable(root: Path, places: Sequence[str]) -> Path:
    """Return the first of the files that holds an integer, or else the first."""
    return next((root / place for place in places if read_int(root / place) is not None), root / places[0])
