"""Which devices are gone, and since when."""

import time
from collections.abc import Callable, Iterable, Iterator


class Presence:
    """Devices that have no stream. Times are of a monotonic clock.

    Args:
        known: devices that were connected before this process began; they count as gone from now on.
        now: the clock, in seconds.
    """

    def __init__(self, known: Iterable[str] = (), now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left_seconds = dict.fromkeys(known, now())

    def on_connected(self, device_id: str) -> None:
        """The device is here."""
        self._left_seconds.pop(device_id, None)

    def on_disconnected(self, device_id: str) -> None:
        """The device is gone from now on."""
        self._left_seconds[device_id] = self._now()

    def gone_for(self, seconds: float) -> Iterator[tuple[str, float]]:
        """The devices that have been gone for so long, and since when."""
        limit = self._now() - seconds
        return ((device_id, left) for device_id, left in list(self._left_seconds.items()) if left <= limit)
