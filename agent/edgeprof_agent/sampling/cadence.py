"""How often to sample, and which ticks are due."""

from dataclasses import dataclass
from typing import NamedTuple

_SECOND_NS = 1_000_000_000
_MOST_HERTZ = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often each tier is sampled, 100 times a second at most, and how long a frame lasts.

    What was sampled fewer than ``block_ticks`` times within a frame waits for the next. ``run_id`` is empty when idle.
    """

    fast_hertz: float = 1.0
    slow_hertz: float = 1.0
    frame_seconds: float = 10.0
    block_ticks: int = 1
    run_id: str = ""

    def __post_init__(self) -> None:
        if not (0 < self.fast_hertz <= _MOST_HERTZ and 0 < self.slow_hertz <= _MOST_HERTZ and self.frame_seconds > 0):
            raise ValueError(f"sensors cannot be sampled at {self}")


IDLE = Cadence()


def run_cadence(run_id: str, fast_hertz: float = 10.0) -> Cadence:
    """Return the cadence of a run: 1 Hz for what changes slowly, told every four seconds, and frames of two seconds."""
    return Cadence(fast_hertz=fast_hertz, slow_hertz=1.0, frame_seconds=2.0, block_ticks=4, run_id=run_id)


class Due(NamedTuple):
    """What is due: sampling a tier, or closing the frame. A tuple: one is made at each tick.

    ``lateness_ns`` is by how much the earliest of the ticks due was missed, ``missed_ticks`` how many were left out.
    """

    fast: bool
    slow: bool
    frame: bool
    lateness_ns: int
    missed_ticks: int


class Schedule:
    """The ticks of a cadence from its start on.

    They lie on a fixed grid, so that they do not drift. When sampling falls behind, ticks are left out and counted;
    they are never made up for in a bunch.
    """

    def __init__(self, cadence: Cadence, start_ns: int) -> None:
        self._fast = _Grid(start_ns, cadence.fast_hertz)
        self._slow = _Grid(start_ns, cadence.slow_hertz)
        self._frame = _Grid(start_ns, 1 / cadence.frame_seconds)
        self._frame.take(start_ns)  # a frame closes when it has lasted, not when it begins

    def next_ns(self) -> int:
        """Return when something is due next."""
        return min(self._fast.next_ns, self._slow.next_ns, self._frame.next_ns)

    def take(self, now_ns: int) -> Due:
        """Return what is due now, and count it as done."""
        lateness_ns = max(0, now_ns - min(self._fast.next_ns, self._slow.next_ns))
        fast, slow = self._fast.take(now_ns), self._slow.take(now_ns)
        frame = self._frame.take(now_ns)
        return Due(fast > 0, slow > 0, frame > 0, lateness_ns, max(0, fast - 1) + max(0, slow - 1))


class _Grid:
    """Times at a fixed rate."""

    def __init__(self, start_ns: int, hertz: float) -> None:
        self._start_ns = start_ns
        self._hertz = hertz
        self._index = 0
        self.next_ns = start_ns

    def take(self, now_ns: int) -> int:
        """Pass all times up to now and return how many they were."""
        if now_ns < self.next_ns:
            return 0
        first = self._index
        self._index = max(first, int((now_ns - self._start_ns) * self._hertz / _SECOND_NS)) + 1
        self.next_ns = self._time_ns(self._index)
        if self.next_ns <= now_ns:  # the division above rounded down across a whole number
            self._index += 1
            self.next_ns = self._time_ns(self._index)
        return self._index - first

    def _time_ns(self, index: int) -> int:
        return self._start_ns + round(index * _SECOND_NS / self._hertz)
