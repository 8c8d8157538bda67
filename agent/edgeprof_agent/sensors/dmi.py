"""Memory modules, as the firmware describes them (System Management BIOS, DSP0134, type 17)."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLE = "sys/firmware/dmi/tables/DMI"  # only root may read it
_MEMORY_DEVICE, _END_OF_TABLE = 17, 127
_HEADER_BYTES = 4
_TYPES = {
    0x18: "DDR3",
    0x1A: "DDR4",
    0x1D: "LPDDR3",
    0x1E: "LPDDR4",
    0x20: "HBM",
    0x21: "HBM2",
    0x22: "DDR5",
    0x23: "LPDDR5",
    0x24: "HBM3",
}
_UNKNOWN = 0xFFFF
# Makers of boards name the places as they like. These say which channel a module is on; others do not.
_CHANNEL = re.compile(r"channel[ _-]?([0-9a-z])(?![0-9a-z])", re.IGNORECASE)
_GROUP = re.compile(r"(?:controller|node|cpu|proc|p)[ _-]?([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryModule:
    """A module that is there. ``None`` where the firmware does not know; ``place`` joins both of its locators."""

    type: str | None
    transfers_per_second: int | None
    data_bits: int | None
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """The host's memory. ``bus_bits`` is the width of all channels together, ``None`` if they cannot be told apart."""

    type: str | None = None
    transfers_per_second: int | None = None
    bus_bits: int | None = None


def host_memory(root: Path) -> HostMemory:
    """Return what the firmware tells of the memory: nothing without root, and nothing on most ARM boards."""
    try:
        table = (root / _TABLE).read_bytes()
    except OSError:  # not permitted, or the firmware has none
        return HostMemory()
    return describe(tuple(memory_modules(table)))


def describe(modules: tuple[MemoryModule, ...]) -> HostMemory:
    """Sum modules up: memory runs at the speed of the slowest, and modules on one channel share its width."""
    if not modules:
        return HostMemory()
    types = {module.type for module in modules}
    speeds = [module.transfers_per_second for module in modules]
    return HostMemory(
        type=types.pop() if len(types) == 1 else None,
        transfers_per_second=min((speed for speed in speeds if speed), default=None) if all(speeds) else None,
        bus_bits=_bus_bits(modules),
    )


def memory_modules(table: bytes) -> Iterator[MemoryModule]:
    """Read the modules out of a table. One that is cut off ends where it is cut."""
    for body, strings in _structures(table):
        if len(body) >= 0x17 and struct.unpack_from("<H", body, 0x0C)[0] not in (0, _UNKNOWN):
            places = (_string(strings, body[offset]) for offset in (0x10, 0x11))
            yield MemoryModule(
                type=_TYPES.get(body[0x12]),
                transfers_per_second=_transfers_per_second(body),
                data_bits=_word(body, 0x0A),
                place=" ".join(place for place in places if place),
            )


def _structures(table: bytes) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield the formatted part and the strings of each memory device."""
    start = 0
    while start + _HEADER_BYTES <= len(table):
        kind, length = table[start], table[start + 1]
        end = table.find(b"\0\0", start + length)
        if length < _HEADER_BYTES or kind == _END_OF_TABLE or end < 0:
            return
        if kind == _MEMORY_DEVICE:
            yield table[start : start + length], table[start + length : end].split(b"\0")
        start = end + 2


def _string(strings: list[bytes], number: int) -> str:
    """Return a string by its number, which counts from 1; 0 means that there is none."""
    return strings[number - 1].decode("ascii", "replace").strip() if 1 <= number <= len(strings) else ""


def _word(body: bytes, offset: int) -> int | None:
    """Return a number of 16 bits; ``None`` where it is unknown or the firmware is too old for it."""
    value = int.from_bytes(body[offset : offset + 2], "little") if len(body) >= offset + 2 else 0
    return None if value in (0, _UNKNOWN) else value


def _transfers_per_second(body: bytes) -> int | None:
    """Return the configured speed, or else the module's highest, given in megatransfers per second."""
    megatransfers = _word(body, 0x20) or _word(body, 0x15)
    return None if megatransfers is None else megatransfers * 1_000_000


def _bus_bits(modules: tuple[MemoryModule, ...]) -> int | None:
    widths: dict[tuple[str | None, str], int] = {}
    for module in modules:
        channel, group = _CHANNEL.search(module.place), _GROUP.search(module.place)
        if channel is None or module.data_bits is None:
            return None
        key = (group[1] if group else None, channel[1].lower())
        widths[key] = max(widths.get(key, 0), module.data_bits)
    return sum(widths.values())
