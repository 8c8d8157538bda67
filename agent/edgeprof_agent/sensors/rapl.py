"""Energy that the processor counts itself: RAPL, by the kernel's power capping framework."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile, read_int, read_text, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the zones that may be read. Since CVE-2020-8694 that takes root, or a rule by the owner.

    Zones of ``intel-rapl-mmio`` are left out: they count the same packages again.
    """
    rails = {folder: _rail(folder) for folder in sorted(root.glob("sys/class/powercap/intel-rapl:*"))}
    count = Counter(rails.values())
    zones = []
    for folder, rail in rails.items():
        range_uj = read_int(folder / "max_energy_range_uj")
        if range_uj and read_int(folder / "energy_uj") is not None:
            source = source_of(folder / "energy_uj", root)
            name = rail if count[rail] == 1 else f"{rail} ({folder.name})"
            energy = channel("edgeprof_energy_joules_total", source, chip="rapl", rail=name)
            zones.append(_Zone(energy, KernelFile(folder / "energy_uj"), GrowingCounter(range_uj)))
    return Rapl(tuple(zones)) if zones else None


class GrowingCounter:
    """A total that goes on growing when the counter behind it wraps around.

    A counter that has fallen has either wrapped or begun again from nothing, as after a suspend. It is taken to have
    wrapped if it then gained less than a quarter of its range since the value before (over 16 kJ in the smallest
    known range: no processor uses that between two samples); else what it shows was gained since it began again.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._last: int | None = None
        self._total = 0

    def advance(self, value: int) -> int:
        """Take the counter's value and return the total, which begins at the first value."""
        gained = value - (self._last or 0)
        if gained < 0:
            gained += self._maximum
            if gained > self._maximum // 4:
                gained = value
        self._last = value
        self._total += gained
        return self._total


@dataclass(frozen=True, slots=True)
class _Zone:
    energy: Channel
    file: KernelFile
    counter: GrowingCounter


class Rapl:
    """``energy_uj`` of every zone, in microjoules; the hardware refreshes it about every millisecond."""

    name = "rapl"
    tier = Tier.FAST

    def __init__(self, zones: tuple[_Zone, ...]) -> None:
        self._zones = zones

    def sample(self) -> Sequence[Reading]:
        """Return the energy of each zone.

        A package has its cores and its GPU in it, but not its memory; ``psys`` has the whole platform in it.
        """
        readings = []
        for zone in self._zones:
            energy_uj = zone.file.read_int()
            if energy_uj is not None:
                readings.append(Reading(zone.energy, zone.counter.advance(energy_uj) / 1e6))
        if not readings:
            raise SensorLostError("no RAPL zone can be read")
        return readings

    def close(self) -> None:
        """Close the files."""
        for zone in self._zones:
            zone.file.close()


def _rail(folder: Path) -> str:
    """Name a zone by its parents: ``package-0``, and ``package-0/core`` for the part of it."""
    name = read_text(folder / "name") or folder.name
    parent = folder.name.rpartition(":")[0]
    return f"{_rail(folder.with_name(parent))}/{name}" if ":" in parent else name
