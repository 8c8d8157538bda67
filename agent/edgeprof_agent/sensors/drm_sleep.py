"""Whether a card sleeps, and whether it woke so lately that its values are not yet right."""

import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import KernelFile

Clock = Callable[[], float]

# Navi cards show wrong values for 9 to 15 s after they have woken (rocm-systems issue 8024).
_SETTLING_SECONDS = 15.0


class CardState(Enum):
    """What may be read of a card: nothing, what the kernel itself counts, everything."""

    ASLEEP = "asleep"
    SETTLING = "settling"
    AWAKE = "awake"


class SleepWatch:
    """Asks the kernel's power management, which answers without waking the card.

    A sleep between two looks shows in the time that the card has slept in all. A card that was awake at the first
    look counts as settled.
    """

    def __init__(self, device: Path, clock: Clock = time.monotonic) -> None:
        self._status_file = KernelFile(device / "power/runtime_status")
        self._slept_file = KernelFile(device / "power/runtime_suspended_time")
        self._clock = clock
        self._slept_ms: int | None = self._slept_file.read_int()
        self._was_asleep = False
        self._settled_at = 0.0

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
        return CardState.SETTLING if now < self._settled_at else CardState.AWAKE

    def close(self) -> None:
        """Close the files."""
        self._status_file.close()
        self._slept_file.close()

    def _is_asleep(self) -> bool:
        try:
            status = self._status_file.read(64)
        except OSError:  # the card is gone, so there is nothing to wake; its files will say so
            return False
        return status.startswith((b"suspend", b"resuming"))
