"""Where a device's times lie on the collector's wall clock.

A device's time is its boot's, in nanoseconds since that began, sleep included. Its own wall clock may stand in 1970, so
it is not asked where there is better: what arrives now was sampled before now, so the smallest distance ever seen
between arrival and the boot's time is nearest to the truth: the least delayed message. Only boots that were over before
the collector heard of them are placed by the wall clock that the device had then, if that makes sense.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edgeprof.telemetry import Placement
from edgeprof.v1.uplink_pb2 import ClockStretch

# Crystals drift by up to 100 ppm; the smallest distance may grow so fast, or it would stay behind a slow clock.
_DRIFT = 100e-6
# A hello is sent as it is made. Later than expected by more than this, all of the device's clocks stood still, as those
# of a virtual machine that was paused.
_PAUSED_NS = 10_000_000_000
# A time further in the future than this is no better delay but nonsense, and teaches nothing.
_NONSENSE_NS = 60_000_000_000
# More than a device tells (see the agent's clocks).
_BOOTS_KEPT = 64
# 2025, before which nobody ran this program. Boards without a battery wake in 1970, or when their system was built.
_EARLIEST_WALL_NS = 1_735_689_600_000_000_000


class Placed(NamedTuple):
    """When something began, by the collector's wall clock, and how that is known."""

    wall_ns: int
    placement: Placement


@dataclass(slots=True)
class _Boot:
    """``offset_ns`` is wall minus the boot's time, as of the wall time ``known_wall_ns``.

    ``former_offset_ns`` is of before the device was paused: it counts up to ``paused_until_ns`` of the boot's time.
    ``over_wall_ns`` is when the boot was over at the latest.
    """

    offset_ns: int
    known_wall_ns: int
    placement: Placement
    former_offset_ns: int = 0
    paused_until_ns: int = 0
    over_wall_ns: int | None = None

    def expected_ns(self, now_wall_ns: int) -> int:
        return self.offset_ns + round(max(now_wall_ns - self.known_wall_ns, 0) * _DRIFT)

    def learn(self, offset_ns: int, now_wall_ns: int) -> None:
        self.offset_ns = offset_ns
        self.known_wall_ns = now_wall_ns


class DeviceClock:
    """The clock of one device, boot by boot."""

    def __init__(self) -> None:
        self._boots: dict[bytes, _Boot] = {}

    def hello(self, boot_id: bytes, elapsed_ns: int, now_wall_ns: int, stretches: Sequence[ClockStretch] = ()) -> None:
        """Learn from a hello, which is sent as it is made.

        Args:
            boot_id: of the boot that goes on.
            elapsed_ns: the boot's time.
            now_wall_ns: when the hello came.
            stretches: what the device's own wall clock has shown, the earliest first.
        """
        offset_ns = now_wall_ns - elapsed_ns
        boot = self._boots.get(boot_id)
        if boot is None or boot.placement is not Placement.EXACT:
            self._remember(boot_id, _Boot(offset_ns, now_wall_ns, Placement.EXACT))
        else:
            expected_ns = boot.expected_ns(now_wall_ns)
            paused = offset_ns > expected_ns + _PAUSED_NS
            if paused:
                boot.former_offset_ns, boot.paused_until_ns = boot.offset_ns, elapsed_ns
            boot.learn(offset_ns if paused else min(offset_ns, expected_ns), now_wall_ns)
        self._estimate_earlier_boots(stretches, self._boots[boot_id].offset_ns, now_wall_ns)

    def place(self, boot_id: bytes, start_ns: int, end_ns: int, now_wall_ns: int) -> Placed:
        """Place what went on from ``start_ns`` to ``end_ns`` of a boot's time; it never ends after now."""
        boot = self._boots.get(boot_id)
        if boot is None:
            self._remember(boot_id, _Boot(now_wall_ns - end_ns, now_wall_ns, Placement.BY_ARRIVAL))
            return Placed(start_ns + now_wall_ns - end_ns, Placement.BY_ARRIVAL)
        latest_ns = (now_wall_ns if boot.over_wall_ns is None else min(boot.over_wall_ns, now_wall_ns)) - end_ns
        if end_ns < boot.paused_until_ns:
            return Placed(start_ns + min(boot.former_offset_ns, latest_ns), Placement.ESTIMATED)
        expected_ns = boot.expected_ns(now_wall_ns)
        if latest_ns < expected_ns - _NONSENSE_NS:
            return Placed(start_ns + latest_ns, Placement.BY_ARRIVAL)
        boot.learn(min(latest_ns, expected_ns), now_wall_ns)
        return Placed(start_ns + boot.offset_ns, boot.placement)

    def _estimate_earlier_boots(self, stretches: Sequence[ClockStretch], began_wall_ns: int, now_wall_ns: int) -> None:
        """Go by what the wall clock showed last in each boot that was over before this one began, if it can be true."""
        over_wall_ns = began_wall_ns
        for stretch in reversed(stretches):
            boot = self._boots.get(stretch.boot_id)
            if boot is None and _EARLIEST_WALL_NS <= stretch.wall_ns <= over_wall_ns:
                offset_ns = stretch.wall_ns - stretch.elapsed_ns
                boot = _Boot(offset_ns, now_wall_ns, Placement.ESTIMATED, over_wall_ns=over_wall_ns)
                self._remember(stretch.boot_id, boot)
            if boot is not None:
                over_wall_ns = min(over_wall_ns, boot.offset_ns)

    def _remember(self, boot_id: bytes, boot: _Boot) -> None:
        self._boots.pop(boot_id, None)
        while len(self._boots) >= _BOOTS_KEPT:
            del self._boots[next(iter(self._boots))]
        self._boots[boot_id] = boot
