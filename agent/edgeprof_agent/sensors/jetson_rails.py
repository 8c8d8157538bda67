"""Power rails of Jetson boards, by the monitors on their I2C bus."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile, read_text, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

# Rails that everything else hangs on: the input of Thor's carrier board, of a module, of the Nano's module.
_INPUTS = ("VIN", "VDD_IN", "POM_5V_IN")
_NOT_CONNECTED = "NC"


def discover(root: Path) -> Sensor | None:
    """Return the sensor of the rails that are connected, if one of them gives a value now."""
    found = [rail for folder in sorted(root.glob("sys/bus/i2c/devices/*")) for rail in _monitor(folder)]
    if not found:
        return None
    chips = Counter((rail.chip, rail.name) for rail in found)
    names = names_in_total([rail.name for rail in found])
    rails = []
    for rail in found:
        chip = rail.chip if chips[rail.chip, rail.name] == 1 else f"{rail.chip}-{rail.device}"
        power = channel("edgeprof_power_watts", source_of(rail.files[0], root), chip=chip, rail=rail.name)
        files = tuple(KernelFile(path) for path in rail.files)
        rails.append(_Rail(power, files, rail.watts, in_total=rail.name in names))
    source = next(rail.channel.source for rail in rails if rail.in_total)
    sensor = JetsonRails(tuple(rails), channel("edgeprof_power_total_watts", source, rails="+".join(names)))
    if sensor.read():
        return sensor
    sensor.close()
    return None


def names_in_total(rails: Sequence[str]) -> tuple[str, ...]:
    """Name the rails whose sum is the total: the input if it is measured, else all of them.

    AGX modules measure no input; the sum of their rails lacks what the carrier board uses, and may count a rail
    that hangs on another.
    """
    measured_input = next((name for name in _INPUTS if name in rails), None)
    return tuple(dict.fromkeys(rails)) if measured_input is None else (measured_input,)


def rail_watts(watts: float) -> float | None:
    """Return what a rail draws; ``None`` below zero: a rail gives nothing back, so that the monitor errs."""
    return watts if watts >= 0 else None


@dataclass(frozen=True, slots=True)
class _Rail:
    """A rail's power: the product of what its files hold, times the watts that a product of one stands for."""

    channel: Channel
    files: tuple[KernelFile, ...]
    watts: float
    in_total: bool

    def read(self) -> float | None:
        """Return the watts now; ``None`` if a file has no value."""
        product = self.watts
        for file in self.files:
            raw = file.read_int()
            if raw is None:
                return None
            product *= raw
        return rail_watts(product)


class JetsonRails:
    """INA3221 and INA238 by hwmon, and the older driver's iio devices.

    The monitors average some conversions, together about 1 to 10 ms. A read waits for the I2C bus.
    """

    name = "jetson_rails"
    tier = Tier.FAST
    worker = "i2c"

    def __init__(self, rails: tuple[_Rail, ...], total: Channel) -> None:
        self._rails = rails
        self._total = total

    def sample(self) -> Sequence[Reading]:
        """Return the power of each rail, and the total if all its rails gave a value."""
        readings = self.read()
        if not readings:
            raise SensorLostError("no power rail gives a value")
        return readings

    def read(self) -> list[Reading]:
        """Return the powers that can be read."""
        readings = []
        total: float | None = 0.0
        for rail in self._rails:
            watts = rail.read()
            if watts is not None:
                readings.append(Reading(rail.channel, watts))
            if rail.in_total:
                total = None if total is None or watts is None else total + watts
        if total is not None:
            readings.append(Reading(self._total, total))
        return readings

    def close(self) -> None:
        """Close the files."""
        for rail in self._rails:
            for file in rail.files:
                file.close()


@dataclass(frozen=True, slots=True)
class _FoundRail:
    chip: str
    device: str
    name: str
    files: tuple[Path, ...]
    watts: float


def _monitor(folder: Path) -> Iterator[_FoundRail]:
    """Find the rails of one device on the bus."""
    chip = (read_text(folder / "name") or "").removesuffix("x")  # the older driver is called ina3221x
    if chip == "ina3221":
        for path in sorted(folder.glob("hwmon/hwmon*/in[1-3]_label")):
            number = path.name[2]
            files = (path.with_name(f"in{number}_input"), path.with_name(f"curr{number}_input"))
            yield from _rail(chip, folder.name, path, files, 1e-6)  # millivolts times milliamperes
        for path in sorted(folder.glob("iio:device*/rail_name_*")):
            file = path.with_name(f"in_power{path.name.removeprefix('rail_name_')}_input")
            yield from _rail(chip, folder.name, path, (file,), 1e-3)  # milliwatts
    elif chip == "ina238":
        for file in sorted(folder.glob("hwmon/hwmon*/power1_input")):
            # Thor's, at the input of the carrier board. Its driver has no labels; tegrastats calls it VIN.
            yield _FoundRail(chip, folder.name, "VIN", (file,), 1e-6)  # microwatts


def _rail(chip: str, device: str, label: Path, files: tuple[Path, ...], watts: float) -> Iterator[_FoundRail]:
    name = read_text(label)
    if name and name != _NOT_CONNECTED and all(file.exists() for file in files):
        yield _FoundRail(chip, device, name, files, watts)
