"""Signs that the agent truly samples and streams: what its watchdog is fed by."""

from typing import Protocol

# Far beyond what a busy machine delays a tick by, and what a disk may hold up a commit for.
_SAMPLER_SECONDS = 30.0
# A session that hears nothing ends itself sooner, and an attempt to connect takes less: beyond this neither works.
_STREAM_SECONDS = 180.0


class Sampling(Protocol):
    """The part of the sampler that matters here."""

    def overdue_seconds(self) -> float:
        """How long ago a tick should have been."""


class Streaming(Protocol):
    """The part of the uplink that matters here."""

    def stalled_seconds(self) -> float:
        """How long ago something should have moved."""


class VitalSigns:
    """Whether sampler and stream progress. A collector that is away is no trouble: trying again is progress."""

    def __init__(self, sampler: Sampling, uplink: Streaming) -> None:
        self._sampler = sampler
        self._uplink = uplink

    def trouble(self) -> str | None:
        """What does not progress, and for how long it has not; ``None`` when all is well."""
        overdue_seconds = self._sampler.overdue_seconds()
        if overdue_seconds > _SAMPLER_SECONDS:
            return f"the sampler has been stuck for {overdue_seconds:.0f} s"
        stalled_seconds = self._uplink.stalled_seconds()
        if stalled_seconds > _STREAM_SECONDS:
            return f"the stream has been stuck for {stalled_seconds:.0f} s"
        return None
