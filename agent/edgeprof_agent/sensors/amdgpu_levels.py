"""The levels of a clock of an AMD GPU: ``pp_dpm_sclk`` and ``pp_dpm_mclk``.

One line per level, as ``1: 772Mhz``; a star marks the one in use. A level named S is that of deep sleep. Source: the
kernel's Documentation/gpu/amdgpu/thermal.rst.
"""

import re
from pathlib import Path
from typing import NamedTuple

from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.kernel_file import KernelFile

_LEVEL = re.compile(rb"^\s*\w+:\s*(\d{1,6})\s*MHz\s*(\*?)", re.IGNORECASE | re.MULTILINE)


class Levels(NamedTuple):
    """Clocks in hertz. A clock of 0, as of a part that is switched off, is none."""

    current_hertz: float | None
    highest_hertz: float | None


def parse_levels(content: bytes) -> Levels:
    """Read the lines that are levels; the others, and the NULs that copies end with, are passed over."""
    levels = [(int(mhz) * 1e6, bool(star)) for mhz, star in _LEVEL.findall(content)]
    current = {hertz for hertz, is_current in levels if is_current}
    highest = max((hertz for hertz, _ in levels), default=0.0)
    return Levels(current.pop() or None if len(current) == 1 else None, highest or None)


class CurrentClock:
    """The level in use."""

    is_counted = False

    def __init__(self, found: Channel, path: Path) -> None:
        self._channel = found
        self._file = KernelFile(path)

    def read(self) -> list[Reading]:
        """Return the clock, if one level is in use."""
        hertz = read_levels(self._file).current_hertz
        return [] if hertz is None else [Reading(self._channel, hertz)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class HighestClock:
    """The highest level, and what follows from it: ``factor`` of it is the value."""

    is_counted = False

    def __init__(self, found: Channel, path: Path, factor: float = 1.0) -> None:
        self._channel = found
        self._file = KernelFile(path)
        self._factor = factor

    def read(self) -> list[Reading]:
        """Return the value, if there are levels."""
        hertz = read_levels(self._file).highest_hertz
        return [] if hertz is None else [Reading(self._channel, hertz * self._factor)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_levels(file: KernelFile) -> Levels:
    """Read the levels; none if the file cannot be read now."""
    try:
        return parse_levels(file.read(4096))
    except OSError:  # a card that has just gone to sleep, or is gone
        return Levels(None, None)
