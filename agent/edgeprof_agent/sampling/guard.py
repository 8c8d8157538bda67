"""A sensor in a guard: what it raises or returns harms nobody else."""

import logging
from collections import deque
from collections.abc import Sequence

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sampling.clock import Clock
from edgeprof_agent.sensors.sensor import Closes, FollowsProcess, Sensor

_LOG = logging.getLogger(__name__)

_SECOND_NS = 1_000_000_000
_FIRST_RETRY_NS = _SECOND_NS
_LONGEST_RETRY_NS = 60 * _SECOND_NS
_BLOCKED_AFTER_NS = 2 * _SECOND_NS
_MOST_STEPS = 2**62  # values travel as 64-bit counts of the channel's resolution


class GuardedSensor:
    """A sensor with its health. One that raises or returns nonsense gives nothing and is tried again later and later.

    It is sampled by one thread; any thread may ask for its health and its latest readings.
    """

    def __init__(self, sensor: Sensor, clock: Clock) -> None:
        self.name = sensor.name
        self.tier: Tier = sensor.tier
        self.latest: Sequence[Reading] = ()
        self.duration_ns: int | None = None
        self.last_success_ns: int | None = None
        self._sensor = sensor
        self._clock = clock
        self._failures = 0
        self._retry_at_ns = 0
        self._sampling_since_ns: int | None = None
        self._to_follow: deque[int | None] = deque(maxlen=1)

    def sample(self) -> Sequence[Reading]:
        """Sample the sensor, unless it failed and its time has not come yet."""
        start_ns = self._clock.monotonic_ns()
        if start_ns < self._retry_at_ns:
            return ()
        self._sampling_since_ns = start_ns
        try:
            if self._to_follow:
                self._obey()
            readings = self._sensor.sample()
            for channel, value in readings:
                if not abs(value) < channel.resolution * _MOST_STEPS:  # so written, it is true for NaN as well
                    raise ValueError(f"{channel.metric} of {channel.source} is {value}")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001  whatever a sensor raises, the others go on
            self.latest = ()
            self._count_failure(error)
            return ()
        finally:
            end_ns = self._clock.monotonic_ns()
            self.duration_ns = end_ns - start_ns
            self._sampling_since_ns = None
        if self._failures:
            _LOG.info("sensor %s works again", self.name)
            self._failures = 0
        self.latest = readings
        self.last_success_ns = end_ns
        return readings

    def is_up(self, now_ns: int) -> bool:
        """Tell whether the last sample succeeded, and none has been blocked for two seconds."""
        since_ns = self._sampling_since_ns
        blocked = since_ns is not None and now_ns - since_ns > _BLOCKED_AFTER_NS
        return not self._failures and not blocked

    def follow(self, pid: int | None) -> None:
        """Have the sensor, if it reads processes, follow this one from its next sample on."""
        self._to_follow.append(pid)

    def close(self) -> None:
        """Have the sensor let go of what it holds."""
        if isinstance(self._sensor, Closes):
            try:
                self._sensor.close()
            except Exception as error:  # noqa: BLE001  whatever a sensor raises, the others are closed too
                _LOG.warning("sensor %s did not close: %s", self.name, error)

    def _obey(self) -> None:
        while self._to_follow:
            pid = self._to_follow.popleft()
            if isinstance(self._sensor, FollowsProcess):
                self._sensor.follow(pid)

    def _count_failure(self, error: Exception) -> None:
        retry_ns = min(_FIRST_RETRY_NS << self._failures, _LONGEST_RETRY_NS)
        if not self._failures:
            kind = type(error).__name__
            _LOG.warning("sensor %s failed and will be tried again: %s: %s", self.name, kind, error)
        self._failures = min(self._failures + 1, 16)
        self._retry_at_ns = self._clock.monotonic_ns() + retry_ns
