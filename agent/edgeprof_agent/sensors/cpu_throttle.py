"""How often and how long heat held the CPU's clocks back, as Intel processors count it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile, read_int, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_CPUS = "sys/devices/system/cpu"
# Per scope: how often, and how long in milliseconds, which kernels before 5.6 do not tell.
_FILES = (
    ("edgeprof_cpu_throttle_events_total", "{}_throttle_count", 1),
    ("edgeprof_cpu_throttled_seconds_total", "{}_throttle_total_time_ms", 1000),
)


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the throttle counters if this CPU has them.

    Threads of one core show that core's count each, and all cores of a package the package's: each is read once.
    """
    core_folders: dict[tuple[int, int], Path] = {}
    for folder in sorted(root.glob(f"{_CPUS}/cpu[0-9]*/thermal_throttle")):
        package = read_int(folder.parent / "topology/physical_package_id")
        core = read_int(folder.parent / "topology/core_id")
        if package is not None and core is not None:
            core_folders.setdefault((package, core), folder)
    packages: dict[int, list[Path]] = defaultdict(list)
    for (package, _), folder in sorted(core_folders.items()):
        packages[package].append(folder)
    counters = tuple(counter for package, folders in packages.items() for counter in _counters(package, folders, root))
    sensor = CpuThrottle(counters)
    return sensor if sensor.read() else None


@dataclass(frozen=True, slots=True)
class _Counter:
    """Files whose values are added up; ``per_unit`` of them make the metric's unit."""

    channel: Channel
    files: tuple[KernelFile, ...]
    per_unit: int

    def read(self) -> float | None:
        """Return the sum; ``None`` unless every file has a value, since a sum that leaves some out would fall."""
        values = [file.read_int() for file in self.files]
        known = [value for value in values if value is not None]
        return sum(known) / self.per_unit if known and len(known) == len(values) else None


class CpuThrottle:
    """``thermal_throttle/*`` of every core and package, counted since boot."""

    name = "cpu_throttle"
    tier = Tier.SLOW

    def __init__(self, counters: tuple[_Counter, ...]) -> None:
        self._counters = counters

    def sample(self) -> Sequence[Reading]:
        """Return every counter."""
        readings = self.read()
        if not readings:
            raise SensorLostError("no throttle counter can be read")
        return readings

    def read(self) -> list[Reading]:
        """Return the counters that can be read."""
        return [Reading(each.channel, value) for each in self._counters if (value := each.read()) is not None]

    def close(self) -> None:
        """Close the files."""
        for counter in self._counters:
            for file in counter.files:
                file.close()


def _counters(package: int, core_folders: Sequence[Path], root: Path) -> Iterable[_Counter]:
    for scope, folders in (("core", core_folders), ("package", core_folders[:1])):
        for metric, pattern, per_unit in _FILES:
            paths = [folder / pattern.format(scope) for folder in folders]
            found = channel(metric, source_of(paths[0], root), package=str(package), scope=scope)
            yield _Counter(found, tuple(KernelFile(path) for path in paths), per_unit)
