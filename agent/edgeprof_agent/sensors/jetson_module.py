"""Which Jetson module this is, and what its memory can move."""

from dataclasses import dataclass
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import read_text

TRANSFERS_PER_CLOCK = 2  # double data rate


@dataclass(frozen=True, slots=True)
class Module:
    """A module's memory: the width of its bus in bytes, and the highest clock that its data sheet names."""

    name: str
    bus_bytes: int
    specified_hertz: float

    def bandwidth(self, clock_hertz: float) -> float:
        """Bytes per second at this clock of memory, or at this many busy clocks of its controller per second."""
        return clock_hertz * TRANSFERS_PER_CLOCK * self.bus_bytes


# By the most telling part of the device tree's ``compatible``: module and SKU first, then family, then chip. The
# parts of compatible that name a module's SKU also stand in it joined to those of the carrier board. Widths and
# clocks are NVIDIA's data sheets'; a Super module is the same module with a higher limit.
_MODULES = (
    ("p3767-0004-super", Module("Orin Nano 4GB Super", 8, 3199e6)),
    ("p3767-0004", Module("Orin Nano 4GB", 8, 2133e6)),
    ("p3767-0003-super", Module("Orin Nano 8GB Super", 16, 3199e6)),
    ("p3767-0003", Module("Orin Nano 8GB", 16, 2133e6)),
    ("p3767-0005-super", Module("Orin Nano 8GB Super", 16, 3199e6)),
    ("p3767-0005", Module("Orin Nano 8GB", 16, 2133e6)),
    ("p3767", Module("Orin NX", 16, 3199e6)),
    ("p3701", Module("AGX Orin", 32, 3199e6)),
    ("p3834", Module("Thor", 32, 4266e6)),
    ("p3668", Module("Xavier NX", 16, 1866e6)),
    ("p2888-0006", Module("AGX Xavier 8GB", 32, 1333e6)),
    ("p2888", Module("AGX Xavier", 32, 2133e6)),
    ("p3448", Module("Nano", 8, 1600e6)),
    ("tegra186", Module("TX2", 16, 1866e6)),
    ("tegra210", Module("TX1", 8, 1600e6)),
)


def is_jetson(root: Path) -> bool:
    """Tell whether the device tree names a chip of NVIDIA's Tegra family."""
    return "nvidia,tegra" in _compatible(root)


def find_module(root: Path) -> Module | None:
    """Return the module; ``None`` for one that is not in the table, whose bus is therefore not known."""
    compatible = _compatible(root)
    if "nvidia,tegra" not in compatible:
        return None
    return next((module for key, module in _MODULES if key in compatible), None)


def _compatible(root: Path) -> str:
    return read_text(root / "proc/device-tree/compatible") or ""
