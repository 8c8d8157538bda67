"""The parts of a card that its own chip of hardware monitoring shows: heat, power, energy.

Source of names and units: the kernel's Documentation/hwmon/sysfs-interface.rst.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof_agent.sensors.celsius import celsius
from edgeprof_agent.sensors.drm_part import IntegerFile
from edgeprof_agent.sensors.kernel_file import read_text, source_of

DRIVERS = ("amdgpu", "i915", "xe")

_INPUT = re.compile(r"(temp|energy)\d+_input")
_PLACES = {"mem": "memory", "vram": "memory"}


def is_of_a_card(folder: Path) -> bool:
    """Tell whether a hwmon chip is a card's own, which the card's sensor reads."""
    return read_text(folder / "name") in DRIVERS and (folder / "device/drm").is_dir()


def labelled_inputs(folder: Path, quantity: str) -> Iterator[tuple[Path, str | None]]:
    """Return the inputs of a quantity, each with its label. Labels are the driver's own: reading them wakes nothing."""
    for path in sorted(folder.iterdir()):
        match = _INPUT.fullmatch(path.name)
        if match and match[1] == quantity:
            yield path, read_text(path.with_name(path.name.replace("_input", "_label")))


def temperatures(folder: Path, gpu: str, root: Path) -> list[IntegerFile]:
    """Return the temperatures of the card's places: edge, junction and memory on AMD."""
    parts = []
    for path, label in labelled_inputs(folder, "temp"):
        place = path.name.removesuffix("_input") if label is None else _PLACES.get(label, label)
        found = channel("edgeprof_gpu_temperature_celsius", source_of(path, root), gpu=gpu, place=place)
        parts.append(IntegerFile(found, path, celsius))
    return parts
