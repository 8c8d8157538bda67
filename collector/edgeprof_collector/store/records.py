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
    It is not sent before ``starts_wall_ns`` (0: at once), and given up at ``expires_wall_ns`` if the device has not had
    it by then. ``lease_expires_wall_ns`` is until when a device that has the job may be away; ``None`` while it is
    connected. ``schedule_id`` is of the schedule that asked for it, if any.
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
    starts_wall_ns: int = 0
    schedule_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """What one version of a job changed it to, and when."""

    version: int
    state: JobState
    reason: str
    changed_wall_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """A job that has ended, and its place among all ends."""

    position: int
    job: JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """A run that somebody wants again and again.

    ``every`` is a cron expression, read in ``timezone``. ``targets`` are looked up anew each time; ``fault`` says why
    the last time gave no job, empty when it did. Each time's jobs are given up after ``queue_seconds``.
    """

    schedule_id: str
    targets: tuple[str, ...]
    plan: Plan
    every: str
    created_wall_ns: int
    next_wall_ns: int
    timezone: str = "UTC"
    model: str = ""
    engine: str = ""
    python: str = ""
    queue_seconds: float = 86400.0
    idempotency_key: str = ""
    fault: str = ""
    is_cancelled: bool = False
