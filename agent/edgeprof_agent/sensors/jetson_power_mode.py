"""The power mode of a Jetson and its limits, as nvpmodel keeps them in two files that anyone may read."""

import re
from dataclasses import dataclass
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import read_text

_STATUS = "var/lib/nvpmodel/status"  # pmode:0002, written when a mode is chosen
_TABLE = "etc/nvpmodel.conf"

_MODE = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>")
_DEFAULT = re.compile(r"<\s*PM_CONFIG\s+DEFAULT=(\d+)\s*>")
_CORE = re.compile(r"CPU_ONLINE\s+CORE_\d+\s+(\d)", re.ASCII)
_LIMIT = re.compile(r"^(CPU_\S+|GPU|EMC)\s+MAX_FREQ\s+(-?\d+)", re.MULTILINE | re.ASCII)

_NO_LIMIT = 2**31 - 1  # so written in some tables, -1 or 0 in others


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerMode:
    """A mode's name and limits; ``None`` for a limit that it does not set. Cores are those that stay switched on."""

    name: str
    cores: int | None = None
    cpu_hertz: float | None = None
    gpu_hertz: float | None = None
    memory_hertz: float | None = None

    def describe(self) -> str:
        """Name the mode with its limits, for people: ``15W (4 cores, CPU 1500 MHz, GPU 625 MHz)``."""
        clocks = (("CPU", self.cpu_hertz), ("GPU", self.gpu_hertz), ("memory", self.memory_hertz))
        limits = [] if self.cores is None else [f"{self.cores} cores"]
        limits += [f"{part} {hertz / 1e6:.0f} MHz" for part, hertz in clocks if hertz is not None]
        return f"{self.name} ({', '.join(limits)})" if limits else self.name


def read_power_mode(root: Path) -> PowerMode | None:
    """Return the mode in force, or the default where none was ever chosen; ``None`` without nvpmodel."""
    table = read_text(root / _TABLE)
    return parse_power_mode(read_text(root / _STATUS) or "", table) if table else None


def parse_power_mode(status: str, table: str) -> PowerMode | None:
    """Return the mode that ``status`` names, with its limits in ``table``; ``None`` if the table has no such mode.

    Clocks of the CPU stand in kilohertz in the table, those of GPU and memory in hertz.
    """
    lines = "\n".join(line for line in table.splitlines() if not line.lstrip().startswith("#"))
    chosen = re.search(r"pmode:(\d{1,4})\b", status, re.ASCII) or _DEFAULT.search(lines)
    if chosen is None:
        return None
    for mode in _MODE.finditer(lines):
        if int(mode[1]) == int(chosen[1]):
            following = re.compile(r"^\s*<", re.MULTILINE).search(lines, mode.end())
            return _parse_limits(mode[2], lines[mode.end() : following.start() if following else None])
    return None


def _parse_limits(name: str, block: str) -> PowerMode:
    cores = _CORE.findall(block)
    limits: dict[str, float] = {}
    for part, value in _LIMIT.findall(block):
        if int(value) > 0 and int(value) != _NO_LIMIT:
            unit, key = (1000, "CPU") if part.startswith("CPU") else (1, part)
            limits[key] = max(limits.get(key, 0), int(value) * unit)  # clusters differ: the fastest counts
    return PowerMode(
        name=name,
        cores=sum(core == "1" for core in cores) if cores else None,
        cpu_hertz=limits.get("CPU"),
        gpu_hertz=limits.get("GPU"),
        memory_hertz=limits.get("EMC"),
    )
