"""When a card may be read: not while it sleeps, not just after, and not so often that it never falls asleep."""

import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import KernelFile, read_text

Clock = Callable[[], float]

# Navi cards show wrong values for 9 to 15 s after they have woken (rocm-systems issue 8024).
_SETTLING_SECONDS = 15.0
# Drivers put a card's sleep off by some seconds, 5 on AMD, whenever it is read.
_READ_SECONDS, _EVERY_SECONDS = 5.0, 60.0


class CardState(Enum):
    """What may be read of a card: nothing, what the kernel itself counts, everything."""

    ASLEEP = "asleep"
    COUNTS_ONLY = "counts only"
    READABLE = "readable"


class SleepWatch:
    """Asks the kernel's power management, which answers without waking the card.

    A sleep between two looks shows in the time that the card has slept in all. A card that was awake at the first
    look counts as settled. While ``is_in_use`` a card is read at every look; else one that may sleep is read for five
    seconds of each minute.
    """

    def __init__(self, device: Path, clock: Clock = time.monotonic) -> None:
        self.is_in_use = False
        self._status_file = KernelFile(device / "power/runtime_status")
        self._slept_file = KernelFile(device / "power/runtime_suspended_time")
        self._may_sleep = read_text(device / "power/control") == "auto"
        self._clock = clock
        self._slept_ms = self._slept_file.read_int()
        self._was_asleep = False
        self._settled_at = clock()
        self._read_from: float | None = None

    def look(self) -> CardState:
        """Return the state now."""
        if self._is_asleep():
            self._was_asleep = True
            return CardState.ASLEEP
        slept_ms = self._slept_file.read_int()
        now = self._clock()
        if self._was_asleep or slept_ms != self._slept_ms:
            self._settled_at = now + _SETTLING_SECONDS
        self._was_asleep, self._slept_ms = False, slept_ms
        return CardState.READABLE if now >= self._settled_at and self._has_turn(now) else CardState.COUNTS_ONLY

    def close(self) -> None:
        """Close the files."""
        self._status_file.close()
        self._slept_file.close()

    def _has_turn(self, now: float) -> bool:
        if self.is_in_use or not self._may_sleep:
            return True
        if self._read_from is None or now >= self._read_from + _EVERY_SECONDS:
            self._read_from = now
        return now < self._read_from + _READ_SECONDS

    def _is_asleep(self) -> bool:
        try:
            status = self._status_file.read(64)
        except OSError:  # the card is gone, so there is nothing to wake; its files will say so
            return False
        return status.startswith((b"suspend", b"resuming"))
