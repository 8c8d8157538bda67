"""What a sensor is."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading


class SensorLostError(Exception):
    """A sensor that used to give values gives none any more: its device is gone, or its driver was unloaded."""


class Sensor(Protocol):
    """One source of readings, found by its family's ``discover``.

    It reads, converts to base units and returns. It never times itself, logs, retries or registers; whatever it
    raises is the sampler's to report. A value that it cannot read this time is left out, never replaced.
    """

    name: str
    tier: Tier

    def sample(self) -> Sequence[Reading]:
        """Read every channel that can be read now."""
        ...


@runtime_checkable
class MayBlock(Protocol):
    """A sensor whose reads can take long: a driver call, a slow bus.

    It is sampled on a thread of its own, which it shares with the sensors that name the same ``worker`` and with
    nobody else, so that calls into one driver never overlap.
    """

    worker: str


@runtime_checkable
class FollowsProcess(Protocol):
    """A sensor that reads the processes of the workload."""

    def follow(self, pid: int | None) -> None:
        """Read this process and its descendants from now on; none if ``pid`` is ``None``."""
        ...


@runtime_checkable
class Closes(Protocol):
    """A sensor that holds something open."""

    def close(self) -> None:
        """Let go of it. The sensor is not sampled again."""
        ...
