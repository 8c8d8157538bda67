"""What the device's clocks show: how long it slept, and where its wall clock jumped, boot by boot."""

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from edgeprof.v1.uplink_pb2 import ClockStretch
from edgeprof_agent.uplink.database import DamagedError, Database, UnwritableError

# Clocks that go on while the machine sleeps, as time.monotonic_ns() does not: clock_gettime(2) on Linux,
# clock_gettime(3) on macOS, where CLOCK_MONOTONIC does as well but follows adjustments.
if sys.platform == "darwin":
    _COUNTS_SLEEP = time.CLOCK_MONOTONIC_RAW
else:
    _COUNTS_SLEEP = time.CLOCK_BOOTTIME

# The two are read one after the other: in whole milliseconds a device that never slept has slept for 0.
_SLEPT_STEP_NS = 1_000_000
# A daemon that keeps time slews what is less. Systems step more at once.
_JUMP_NS = 1_000_000_000
_MOST_OF_A_BOOT = 4
_MOST = 32


class ClockReading(NamedTuple):
    """All clocks at one moment. ``slept_ns`` is how long this boot has slept."""

    monotonic_ns: int
    slept_ns: int
    wall_ns: int


def slept_ns() -> int:
    """Return how long this boot has slept, in nanoseconds: what monotonic time leaves out."""
    slept = time.clock_gettime_ns(_COUNTS_SLEEP) - time.monotonic_ns()
    return max(slept, 0) // _SLEPT_STEP_NS * _SLEPT_STEP_NS


def read_clocks() -> ClockReading:
    """Return what the system's clocks show now."""
    return ClockReading(time.monotonic_ns(), slept_ns(), time.time_ns())


class Clocks:
    """The clocks of this boot, and what the wall clock showed in it and in those before it.

    What is sampled without a collector may be sent after a restart. Then only this tells when it was.

    Args:
        database: where it is kept.
        boot_id: of this boot.
        read: the clocks.
    """

    def __init__(self, database: Database, boot_id: bytes, read: Callable[[], ClockReading] = read_clocks) -> None:
        self.boot_id = boot_id
        self._database = database
        self._read = read
        self._stretches = self._stored()
        self._unsaved = False
        database.refills.append(self._save)
        self.look()

    @property
    def stretches(self) -> tuple[ClockStretch, ...]:
        """What the wall clock has shown, the earliest first."""
        return tuple(self._stretches)

    def look(self) -> ClockReading:
        """Read the clocks, and begin a new stretch if the wall clock has jumped since."""
        now = self._read()
        elapsed_ns = now.monotonic_ns + now.slept_ns
        last = self._stretches[-1] if self._stretches else None
        if last is None or last.boot_id != self.boot_id or _differ(last, elapsed_ns, now.wall_ns):
            self._stretches.append(
                ClockStretch(boot_id=self.boot_id, elapsed_ns=elapsed_ns, wall_ns=max(now.wall_ns, 0))
            )
            self._forget_some()
            self._unsaved = True
        if self._unsaved:
            self._save()
        return now

    def _forget_some(self) -> None:
        """Keep few of each boot and few in all: the latest, for clocks are put right rather than wrong."""
        of_this_boot = [stretch for stretch in self._stretches if stretch.boot_id == self.boot_id]
        if len(of_this_boot) > _MOST_OF_A_BOOT:
            self._stretches.remove(of_this_boot[0])
        del self._stretches[:-_MOST]

    def _stored(self) -> list[ClockStretch]:
        try:
            rows = self._database.rows("SELECT boot_id, elapsed_ns, wall_ns FROM clocks ORDER BY number")
        except DamagedError as error:
            self._database.replace(error)
            return []
        return [ClockStretch(boot_id=boot, elapsed_ns=elapsed, wall_ns=wall) for boot, elapsed, wall in rows]

    def _save(self) -> None:
        try:
            try:
                self._write()
            except DamagedError as error:
                self._database.replace(error)  # which saves, too
                return
        except UnwritableError:
            return  # the disk is full: the next look tries again
        self._unsaved = False

    def _write(self) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM clocks")
            connection.executemany(
                "INSERT INTO clocks (boot_id, elapsed_ns, wall_ns) VALUES (?, ?, ?)",
                [(stretch.boot_id, stretch.elapsed_ns, stretch.wall_ns) for stretch in self._stretches],
            )


def _differ(stretch: ClockStretch, elapsed_ns: int, wall_ns: int) -> bool:
    return abs((wall_ns - elapsed_ns) - (stretch.wall_ns - stretch.elapsed_ns)) > _JUMP_NS
