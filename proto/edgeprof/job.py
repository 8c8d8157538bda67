"""Jobs: a run that somebody asked a device for."""

from dataclasses import dataclass
from enum import Enum

from edgeprof.plan import Plan


class JobState(str, Enum):
    """Where a job stands. The last six are final."""

    QUEUED = "queued"
    SENT = "sent"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (JobState.QUEUED, JobState.SENT, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCommand:
    """What the device is asked to do: data, never code.

    ``model`` is a path on the device or a synthetic shape; empty, the device chooses a shape that fits.
    ``python`` is the interpreter of another environment on the device; empty, the agent's own.
    """

    job_id: str
    version: int
    plan: Plan
    model: str = ""
    engine: str = ""
    python: str = ""
    start_within_seconds: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """How a job stands on the device, told again and again until acknowledged."""

    job_id: str
    version: int
    state: JobState
    reason: str = ""
    run_id: str = ""
