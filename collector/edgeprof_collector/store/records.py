"""What the store tells of devices, runs and jobs. Wall-clock times are the collector's, in nanoseconds since 1970."""

from dataclasses import dataclass

from edgeprof.device import DeviceFacts
from edgeprof.job import JobState
from edgeprof.plan import Plan
from edgeprof.run import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """A device that has connected at least once, with the facts that it told last."""

    facts: DeviceFacts
    first_seen_wall_ns: int
    last_seen_wall_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in a list. ``duration_seconds`` is ``None`` while it goes on, or when its device never came back.

    One that ``is_baseline`` is kept for others to be compared with, however old it is.
    """

    run_id: str
    device_id: str
    job_id: str
    plan: str
    model: str
    quantisation: str
    engine: str
    engine_version: str
    state: RunState
    cause: str
    started_wall_ns: int
    duration_seconds: float | None
    is_baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A run that somebody asked a device for, and how far that has come.

    ``version`` grows by one with every change; a change is written only over the version it was made from.
    ``expires_wall_ns`` is when the job is given up if the device has not had it by then. ``lease_expires_wall_ns``
    is until when a running job counts as alive; ``None`` when no lease was given.
    """

    job_id: str
    device_id: str
    plan: Plan
    created_wall_ns: int
    updated_wall_ns: int
    expires_wall_ns: int
    model: str = ""
    engine: str = ""
    python: str = ""
    idempotency_key: str = ""
    state: JobState = JobState.QUEUED
    version: int = 1
    reason: str = ""
    run_id: str = ""
    cancel_requested: bool = False
    lease_expires_wall_ns: int | None = None
