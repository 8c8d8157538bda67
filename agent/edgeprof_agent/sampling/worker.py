"""Threads for sensors that may block."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sampling.clock import Clock
from edgeprof_agent.sampling.guard import GuardedSensor


class Sample(NamedTuple):
    """What one sensor gave, and when it was complete."""

    sensor: str
    time_ns: int
    readings: Sequence[Reading]


class Outbox:
    """Samples of the workers until the sampler fetches them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: list[Sample] = []

    def put(self, sensor: str, readings: Sequence[Reading]) -> None:
        """Add a sample that is complete now."""
        with self._lock:
            self._samples.append(Sample(sensor, self._clock.monotonic_ns(), readings))

    def fetch(self) -> tuple[Sequence[Sample], int]:
        """Return what came since the last fetch, and a time between its samples and those still to come."""
        with self._lock:
            samples, self._samples = self._samples, []
            return samples, self._clock.monotonic_ns()


class Worker:
    """A thread for sensors that may block. Asked again while it is busy, it samples once when it is free."""

    def __init__(self, name: str, guards: Sequence[GuardedSensor], outbox: Outbox) -> None:
        self._guards = guards
        self._tiers = {guard.tier for guard in guards}
        self._outbox = outbox
        self._wanted: set[Tier] = set()
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"sensors-{name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask(self, tier: Tier) -> None:
        """Ask for a sample of this tier."""
        if tier in self._tiers:
            with self._changed:
                self._wanted.add(tier)
                self._changed.notify()

    def stop(self) -> None:
        """Have the thread close its sensors and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end, but no longer than this: a thread that hangs in a driver is left behind."""
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while tiers := self._next_tiers():
            for guard in self._guards:
                if guard.tier in tiers and (readings := guard.sample()):
                    self._outbox.put(guard.name, readings)
        for guard in self._guards:
            guard.close()

    def _next_tiers(self) -> set[Tier]:
        """Wait until asked, and return the tiers wanted; none when it is time to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._stopping)
            tiers, self._wanted = (set() if self._stopping else self._wanted), set()
            return tiers
