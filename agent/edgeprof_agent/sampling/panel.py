"""All sensors of a device, read together."""

from collections import defaultdict
from collections.abc import Sequence

from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sampling.clock import Clock
from edgeprof_agent.sampling.guard import GuardedSensor
from edgeprof_agent.sampling.worker import Outbox, Sample, Worker
from edgeprof_agent.sensors.sensor import MayBlock, Sensor

_STOP_SECONDS = 2.0


class Panel:
    """The sensors, each in its guard: quick ones read on the caller's thread, those that may block on workers."""

    def __init__(self, sensors: Sequence[Sensor], clock: Clock) -> None:
        self._clock = clock
        self._outbox = Outbox(clock)
        self._inline: dict[Tier, list[GuardedSensor]] = {tier: [] for tier in Tier}
        by_worker: defaultdict[str, list[GuardedSensor]] = defaultdict(list)
        for sensor in sensors:
            guard = GuardedSensor(sensor, clock)
            place = by_worker[sensor.worker] if isinstance(sensor, MayBlock) else self._inline[sensor.tier]
            place.append(guard)
        self._workers = tuple(Worker(name, guards, self._outbox) for name, guards in by_worker.items())
        self.guards = (
            *(guard for guards in self._inline.values() for guard in guards),
            *(guard for guards in by_worker.values() for guard in guards),
        )

    def start(self) -> None:
        """Start the workers."""
        for worker in self._workers:
            worker.start()

    def sample(self, tier: Tier) -> list[Reading]:
        """Return the readings of the quick sensors of this tier, and ask the workers for theirs."""
        for worker in self._workers:
            worker.ask(tier)
        return [reading for guard in self._inline[tier] for reading in guard.sample()]

    def fetch(self) -> tuple[Sequence[Sample], int]:
        """Return the workers' samples since the last fetch, and a time between them and those still to come."""
        return self._outbox.fetch()

    def follow_process(self, pid: int | None) -> None:
        """Have the sensors that read processes follow this one. May be called from any thread."""
        for guard in self.guards:
            guard.follow(pid)

    def latest(self) -> dict[Channel, float]:
        """Return the last value of each channel whose sensor is well. May be called from any thread."""
        now_ns = self._clock.monotonic_ns()
        return {channel: value for guard in self.guards if guard.is_up(now_ns) for channel, value in guard.latest}

    def stop(self) -> None:
        """Stop the workers and close the sensors."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join(_STOP_SECONDS)
        for guards in self._inline.values():
            for guard in guards:
                guard.close()
