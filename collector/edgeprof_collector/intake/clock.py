"""Where a device's monotonic times lie on the collector's wall clock.

A device's own wall clock is not asked: it may stand in 1970. What arrives now was sampled before now, so the
smallest distance ever seen between arrival and monotonic time is nearest to the truth: the least delayed message.
"""

from dataclasses import dataclass

# Crystals drift by up to 100 ppm; the smallest distance may grow so fast, or it would stay behind a slow clock.
_DRIFT = 100e-6
# A hello is sent as it is made. Later than expected by more than this, the device's clock stood still: it slept.
_SLEPT_NS = 10_000_000_000
# A time further in the future than this is no better delay but nonsense, and teaches nothing.
_NONSENSE_NS = 60_000_000_000
_BOOTS_KEPT = 8


@dataclass(slots=True)
class _Boot:
    """``offset_ns`` is wall minus monotonic time, as of the wall time ``known_wall_ns``."""

    offset_ns: int
    known_wall_ns: int

    def expected_ns(self, now_wall_ns: int) -> int:
        return self.offset_ns + round(max(now_wall_ns - self.known_wall_ns, 0) * _DRIFT)

    def learn(self, offset_ns: int, now_wall_ns: int) -> None:
        self.offset_ns = offset_ns
        self.known_wall_ns = now_wall_ns


class DeviceClock:
    """The clock of one device, boot by boot."""

    def __init__(self) -> None:
        self._boots: dict[bytes, _Boot] = {}

    def hello(self, boot_id: bytes, monotonic_ns: int, now_wall_ns: int) -> None:
        """Learn from a hello, which is sent as it is made."""
        offset_ns = now_wall_ns - monotonic_ns
        boot = self._boots.get(boot_id)
        if boot is None:
            self._remember(boot_id, offset_ns, now_wall_ns)
            return
        expected_ns = boot.expected_ns(now_wall_ns)
        slept = offset_ns > expected_ns + _SLEPT_NS
        boot.learn(offset_ns if slept else min(offset_ns, expected_ns), now_wall_ns)

    def place(self, boot_id: bytes, start_ns: int, end_ns: int, now_wall_ns: int) -> int:
        """Return when the stretch from ``start_ns`` to ``end_ns`` began, by the wall clock; it never ends after now.

        A boot that no hello has named is placed by its arrivals alone: no later than they came.
        """
        offset_ns = now_wall_ns - end_ns
        boot = self._boots.get(boot_id)
        if boot is None:
            self._remember(boot_id, offset_ns, now_wall_ns)
            return start_ns + offset_ns
        expected_ns = boot.expected_ns(now_wall_ns)
        if offset_ns < expected_ns - _NONSENSE_NS:
            return start_ns + offset_ns
        boot.learn(min(offset_ns, expected_ns), now_wall_ns)
        return start_ns + boot.offset_ns

    def _remember(self, boot_id: bytes, offset_ns: int, now_wall_ns: int) -> None:
        while len(self._boots) >= _BOOTS_KEPT:
            del self._boots[next(iter(self._boots))]
        self._boots[boot_id] = _Boot(offset_ns, now_wall_ns)
