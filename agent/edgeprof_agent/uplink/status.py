"""How the spool stands, and the sensor that puts it into the telemetry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import GapCause, Reading

_SOURCE = "edgeprof-agent"


@dataclass(slots=True, kw_only=True)
class Drops:
    """Messages that were dropped since the agent started, by cause."""

    spool_full: int = 0
    spool_age: int = 0
    spool_corrupt: int = 0
    disk_full: int = 0

    def add(self, other: "Drops") -> None:
        """Count these too."""
        self.spool_full += other.spool_full
        self.spool_age += other.spool_age
        self.spool_corrupt += other.spool_corrupt
        self.disk_full += other.disk_full


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStatus:
    """How much waits, and what was lost. ``size_bytes`` counts the file as it was written last."""

    size_bytes: int
    max_bytes: int
    messages: int
    oldest_age_seconds: int
    drops: Drops
    set_aside_files: int


class SpoolSensor:
    """The spool's state as channels of the device. ``status`` is called on the sampler's thread."""

    name = "spool"
    tier = Tier.SLOW

    def __init__(self, status: Callable[[], SpoolStatus]) -> None:
        self._status = status
        self._bytes = channel("edgeprof_spool_bytes", _SOURCE)
        self._max_bytes = channel("edgeprof_spool_max_bytes", _SOURCE)
        self._messages = channel("edgeprof_spool_messages", _SOURCE)
        self._age = channel("edgeprof_spool_oldest_age_seconds", _SOURCE)
        self._set_aside = channel("edgeprof_spool_set_aside_files_total", _SOURCE)
        self._dropped = {
            cause: channel("edgeprof_spool_dropped_messages_total", _SOURCE, cause=cause.value)
            for cause in (GapCause.SPOOL_FULL, GapCause.SPOOL_AGE, GapCause.SPOOL_CORRUPT, GapCause.DISK_FULL)
        }

    def sample(self) -> Sequence[Reading]:
        """Read every channel."""
        status = self._status()
        return [
            Reading(self._bytes, status.size_bytes),
            Reading(self._max_bytes, status.max_bytes),
            Reading(self._messages, status.messages),
            Reading(self._age, status.oldest_age_seconds),
            Reading(self._set_aside, status.set_aside_files),
            *(Reading(one, getattr(status.drops, cause.value)) for cause, one in self._dropped.items()),
        ]
