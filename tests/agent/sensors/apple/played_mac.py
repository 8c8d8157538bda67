"""A Mac that the stand-in plays, line by line as a test wants it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.apple.io_report import IOReport
from edgeprof_agent.sensors.apple.mac import Mac, find_mac
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sensors.apple import stand_in_library

TICKS_PER_SECOND = 24_000_000
CHIP = ("sysctl", "hw.optional.arm64", "int32", 1)
ENERGY, NO_SUBGROUP = "Energy Model", ""
Fields = tuple[object, ...]


def at(seconds: float) -> int:
    """The ticks of the Mac's clock at a time."""
    return round(seconds * TICKS_PER_SECOND)


def clock(seconds: float) -> Fields:
    return ("clock", at(seconds))


def energy(name: str, unit: str, published_seconds: float | None, value: int | None) -> Fields:
    """A channel of the energy model: ``None`` for one without a stamp, or without a value."""
    stamp = "-" if published_seconds is None else at(published_seconds)
    return ("channel", ENERGY, NO_SUBGROUP, name, "simple", unit, stamp, "-" if value is None else value)


def states(group: str, subgroup: str, name: str, **times: int) -> Fields:
    return ("channel", group, subgroup, name, "state", "24Mticks", 1, spread(times))


def spread(times: dict[str, int]) -> str:
    return ",".join(f"{state}:{time}" for state, time in times.items())


class PlayedMac:
    """A root with the stand-in for macOS's libraries."""

    def __init__(self, root: Path, lines: Iterable[Fields] = (CHIP,)) -> None:
        self.root = root
        self.play(lines)
        stand_in_library.install(root)

    def play(self, lines: Iterable[Fields]) -> None:
        """Be like this from now on. The file is another one, so that no change is missed however quick."""
        new = self.root / "new.tsv"
        new.write_text("".join("\t".join(map(str, fields)) + "\n" for fields in (CHIP, *lines)), encoding="utf-8")
        new.replace(self.root / stand_in_library.STATE)

    def find(self) -> Mac:
        mac = find_mac(self.root)
        assert mac is not None
        return mac

    def report(self) -> IOReport:
        mac = self.find()
        return IOReport(self.root, mac.core_foundation, mac.system)

    def sample(self, sensor: Sensor, lines: Iterable[Fields]) -> dict[str, float]:
        """Become so, and return what the sensor then gives."""
        self.play(lines)
        return by_name(sensor.sample())

    @property
    def alive(self) -> int:
        return stand_in_library.alive(self.root)

    @property
    def misuses(self) -> int:
        return stand_in_library.misuses(self.root)


def by_name(readings: Sequence[Reading]) -> dict[str, float]:
    """Readings by the metric and the values of its labels."""
    return {f"{channel.metric} {' '.join(value for _, value in channel.labels)}": value for channel, value in readings}
