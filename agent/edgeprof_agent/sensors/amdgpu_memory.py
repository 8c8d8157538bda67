"""How fast an AMD GPU's own memory can be: its bus and its kind, by the topology that the kernel keeps for compute.

``/sys/class/kfd/kfd/topology/nodes/*`` was composed when the driver was loaded: reading it wakes no card and takes no
privilege. ``mem_banks/0/properties`` has the width of the bus in bits and the highest clock in megahertz. No file
names the kind of memory; for GPUs with memory of their own it follows from the generation.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import read_text

_HBM, _GDDR6 = 2, 16  # transfers per cycle of the clock that the driver shows
# By gfx_target_version, as in 110000 for gfx1100: first and last of the generation's cards, and its memory.
_GENERATIONS = (
    (90000, 90000, _HBM),  # Vega 10
    (90004, 90006, _HBM),  # Vega 12 and 20
    (90008, 90008, _HBM),  # MI100
    (90010, 90010, _HBM),  # MI200
    (100100, 100100, _GDDR6),  # Navi 10
    (100101, 100101, _HBM),  # Navi 12
    (100102, 100102, _GDDR6),  # Navi 14
    (100300, 100302, _GDDR6),  # Navi 21 to 23
    (100304, 100304, _GDDR6),  # Navi 24
    (110000, 110002, _GDDR6),  # Navi 31 to 33
    (120000, 120001, _GDDR6),  # Navi 44 and 48
)
_SLOT = re.compile(r"([0-9a-f]+):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])")


@dataclass(frozen=True, slots=True)
class CardMemory:
    """The memory of a card: the width of its bus, its highest clock, and how often it transfers in a cycle."""

    properties: Path
    bus_bits: int
    clock_max_hertz: float
    transfers_per_clock: int

    @property
    def double_rate_clock_hertz(self) -> float:
        """The highest clock of memory that is as fast and transfers twice per cycle."""
        return self.clock_max_hertz * self.transfers_per_clock / 2

    def peak_bytes_per_second(self, clock_hertz: float) -> float:
        """Return the bytes that it can move at this clock: clock, times transfers, times the bus in bytes.

        An RX 7900 XT's 1249 MHz on 320 bits make 799 GB/s.
        """
        return clock_hertz * self.transfers_per_clock * self.bus_bits / 8


def find_memory(root: Path, slot: str) -> CardMemory | None:
    """Return the memory of the card at this place on the bus; ``None`` if it shares the host's, or is not known."""
    for node in root.glob("sys/class/kfd/kfd/topology/nodes/[0-9]*"):
        properties = _properties(node / "properties")
        if _place(slot) == (properties.get("domain", 0), properties.get("location_id")):
            return _memory(node / "mem_banks/0/properties", properties.get("gfx_target_version", 0))
    return None


def transfers_per_clock(gfx_target_version: int) -> int | None:
    """Return how often memory of this generation's cards transfers per cycle; ``None`` for APUs and the unknown."""
    for first, last, transfers in _GENERATIONS:
        if first <= gfx_target_version <= last:
            return transfers
    return None


def _memory(path: Path, gfx_target_version: int) -> CardMemory | None:
    bank = _properties(path)
    width, clock_mhz = bank.get("width"), bank.get("mem_clk_max")
    transfers = transfers_per_clock(gfx_target_version)
    return CardMemory(path, width, clock_mhz * 1e6, transfers) if width and clock_mhz and transfers else None


def _place(slot: str) -> tuple[int, int] | None:
    match = _SLOT.fullmatch(slot)
    if match is None:
        return None
    domain, bus, device, function = (int(number, 16) for number in match.groups())
    return domain, bus << 8 | device << 3 | function


def _properties(path: Path) -> dict[str, int]:
    pairs = [line.split() for line in (read_text(path) or "").splitlines()]
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}
