"""A clock that is wound by hand, and sensors that behave as told."""

import threading
from collections.abc import Callable, Sequence

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading

SECOND_NS = 1_000_000_000
TEMPERATURE = channel("edgeprof_temperature_celsius", "/test", chip="test", place="core")
POWER = channel("edgeprof_power_watts", "/test", chip="test", rail="core")
MEMORY = channel("edgeprof_memory_available_bytes", "/test")
TOTAL = channel("edgeprof_memory_total_bytes", "/test")

_PATIENCE_SECONDS = 30  # before a test gives up on a thread


class WoundClock:
    """Time that passes only when a test says so."""

    def __init__(self, now_ns: int = 100 * SECOND_NS) -> None:
        self._now_ns = now_ns
        self._changed = threading.Condition()
        self._woken = False
        self._waiting_until_ns: int | None = None

    def monotonic_ns(self) -> int:
        return self._now_ns

    def wait_until(self, deadline_ns: int) -> None:
        with self._changed:
            self._waiting_until_ns = deadline_ns
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._woken or self._now_ns >= deadline_ns)
            self._waiting_until_ns = None
            self._woken = False

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        return

    def advance(self, seconds: float) -> None:
        """Let time pass at one go."""
        with self._changed:
            self._now_ns += round(seconds * SECOND_NS)
            self._changed.notify_all()

    def settle(self) -> None:
        """Return when the thread that lives by this clock has done all there was to do, and waits."""
        with self._changed:
            assert self._changed.wait_for(self._is_settled, _PATIENCE_SECONDS)

    def _is_settled(self) -> bool:
        until_ns = self._waiting_until_ns
        return until_ns is not None and not self._woken and self._now_ns < until_ns


class ScriptedSensor:
    """Gives what its function gives."""

    def __init__(self, sample: Callable[[], Sequence[Reading]], name: str = "scripted", tier: Tier = Tier.FAST) -> None:
        self.name = name
        self.tier = tier
        self.sample = sample


class WorkerSensor(ScriptedSensor):
    """One that is sampled on a worker."""

    def __init__(
        self,
        sample: Callable[[], Sequence[Reading]],
        name: str = "worker",
        tier: Tier = Tier.FAST,
        worker: str = "worker",
    ) -> None:
        super().__init__(sample, name, tier)
        self.worker = worker


class FollowingSensor:
    """Gives the process that it follows as a number of bytes, and remembers on which thread it was called."""

    name = "following"
    tier = Tier.FAST

    def __init__(self) -> None:
        self.pid: int | None = None
        self.threads: set[str] = set()
        self.closed = False

    def follow(self, pid: int | None) -> None:
        self.threads.add(threading.current_thread().name)
        self.pid = pid

    def sample(self) -> Sequence[Reading]:
        self.threads.add(threading.current_thread().name)
        return () if self.pid is None else (Reading(MEMORY, self.pid * 65536),)

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed = True


def constant(channel: Channel, value: float) -> Callable[[], Sequence[Reading]]:
    """A sensor's function that gives always the same."""
    return lambda: (Reading(channel, value),)


def counting(channel: Channel = MEMORY) -> Callable[[], Sequence[Reading]]:
    """A sensor's function that gives 1, 2, 3 and so on, in steps of the channel's resolution."""
    count = 0

    def sample() -> Sequence[Reading]:
        nonlocal count
        count += 1
        return (Reading(channel, count * channel.resolution),)

    return sample
