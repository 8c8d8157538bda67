"""Temperatures, powers and energies from the kernel's hardware monitoring chips."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors import drm_hwmon
from edgeprof_agent.sensors.celsius import celsius
from edgeprof_agent.sensors.jetson_module import is_jetson
from edgeprof_agent.sensors.kernel_file import KernelFile, read_text, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A kind of input: its files in the order of preference, its metric, and what the kernel's number means."""

    files: tuple[str, ...]
    metric: str
    label: str
    convert: Callable[[int], float | None]


# kernel's Documentation/hwmon/sysfs-interface.rst: millidegrees, microwatts, microjoules
_QUANTITIES = (
    _Quantity(("temp{}_input",), "edgeprof_temperature_celsius", "place", celsius),
    _Quantity(("power{}_input", "power{}_average"), "edgeprof_power_watts", "rail", lambda raw_uw: raw_uw / 1e6),
    _Quantity(("energy{}_input",), "edgeprof_energy_joules_total", "rail", lambda raw_uj: raw_uj / 1e6),
)


def discover(root: Path) -> Sensor | None:
    """Return the sensor of all chips, if one of them is asleep or gives a value now.

    Chips that the kernel makes of thermal zones are left out, since ``thermal_zone`` reads those, those of AMD's and
    Intel's GPUs, which have sensors of their own, and a Jetson's monitor of its input, which ``jetson_rails`` reads by
    the name of its rail.
    """
    left_out = ("ina238",) if is_jetson(root) else ()
    folders = [
        folder
        for folder in sorted(root.glob("sys/class/hwmon/hwmon[0-9]*"))
        if not _is_thermal_zone(folder) and not drm_hwmon.is_of_a_card(folder) and _name(folder) not in left_out
    ]
    names = Counter(_name(folder) for folder in folders)
    chips = []
    for folder in folders:
        name = _name(folder)
        if names[name] > 1:  # their devices tell them apart; the number in hwmonN may change at each boot
            name = f"{name}-{(folder / 'device').resolve().name}"
        chip = _Chip(_sleep_file(folder), tuple(_inputs(folder, name, root)))
        if chip.is_asleep() or chip.read():
            chips.append(chip)
        else:
            chip.close()
    return Hwmon(tuple(chips)) if chips else None


class Hwmon:
    """Inputs of all chips. A read may wait for a slow bus."""

    name = "hwmon"
    tier = Tier.FAST
    worker = "hwmon"

    def __init__(self, chips: tuple["_Chip", ...]) -> None:
        self._chips = chips

    def sample(self) -> Sequence[Reading]:
        """Return the value of each input that gives one. A chip that is asleep is not woken."""
        awake = [chip for chip in self._chips if not chip.is_asleep()]
        readings = [reading for chip in awake for reading in chip.read()]
        if awake and not readings:
            raise SensorLostError("no hwmon input gives a value")
        return readings

    def close(self) -> None:
        """Close the files."""
        for chip in self._chips:
            chip.close()


@dataclass(frozen=True, slots=True)
class _Input:
    channel: Channel
    file: KernelFile
    convert: Callable[[int], float | None]

    def read(self) -> float | None:
        raw = self.file.read_int()
        return None if raw is None else self.convert(raw)


@dataclass(frozen=True, slots=True)
class _Chip:
    sleep_file: KernelFile | None
    inputs: tuple[_Input, ...]

    def is_asleep(self) -> bool:
        """Tell whether reading would wake the device: a suspended GPU takes seconds until its values are right."""
        if self.sleep_file is None:
            return False
        try:
            return self.sleep_file.read(64).startswith(b"suspend")
        except OSError:  # the device is gone, so there is nothing to wake; its inputs will say so
            return False

    def read(self) -> list[Reading]:
        return [Reading(found.channel, value) for found in self.inputs if (value := found.read()) is not None]

    def close(self) -> None:
        if self.sleep_file is not None:
            self.sleep_file.close()
        for found in self.inputs:
            found.file.close()


def _inputs(folder: Path, chip: str, root: Path) -> Iterator[_Input]:
    for quantity in _QUANTITIES:
        files = _numbered_files(folder, quantity.files)
        labels = {stem: read_text(folder / f"{stem}_label") for stem in files}
        count = Counter(labels.values())
        for stem, path in files.items():
            label = labels[stem]
            place = stem if label is None else label if count[label] == 1 else f"{label} ({stem})"
            found = channel(quantity.metric, source_of(path, root), chip=chip, **{quantity.label: place})
            yield _Input(found, KernelFile(path), quantity.convert)


def _numbered_files(folder: Path, patterns: tuple[str, ...]) -> dict[str, Path]:
    """Return the inputs by what their files' names begin with, such as ``temp1``, in the order of their numbers."""
    found: dict[int, Path] = {}
    for pattern in patterns:
        expression = re.compile(pattern.format(r"(\d+)"))
        for path in folder.iterdir():
            if match := expression.fullmatch(path.name):
                found.setdefault(int(match[1]), path)
    return {found[number].name.split("_")[0]: found[number] for number in sorted(found)}


def _sleep_file(folder: Path) -> KernelFile | None:
    """The file that tells whether the chip's device is asleep; ``None`` if it never sleeps on its own."""
    path = folder / "device/power/runtime_status"
    return None if read_text(path) in (None, "unsupported") else KernelFile(path)


def _name(folder: Path) -> str:
    return read_text(folder / "name") or folder.name


def _is_thermal_zone(folder: Path) -> bool:
    return (folder / "device").resolve().name.startswith("thermal_zone")
