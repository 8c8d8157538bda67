"""What people ask of the job queue, and what they hear of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from edgeprof.job import JobStatus
from edgeprof.plan import Plan
from edgeprof.run import Progress

Target = Annotated[str, Meta(min_length=1, max_length=256)]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A run that somebody wants, on each of the devices that ``targets`` name.

    A target is a device's id, its hostname if no other device has it, a label such as ``family=jetson``, or ``all``.
    ``model`` is a path on the device or a synthetic shape; empty, the device chooses a shape that fits. ``engine`` and
    ``python`` are the device's own defaults when empty. Asking again with the same ``idempotency_key`` gives the jobs
    of the first time. A job does not start before ``at``, and is given up if it has not started ``queue_seconds``
    after that, or after now.
    """

    targets: Annotated[tuple[Target, ...], Meta(min_length=1)]
    plan: Plan
    model: str = ""
    engine: str = ""
    python: str = ""
    idempotency_key: Annotated[str, Meta(max_length=128)] = ""
    at: Annotated[datetime, Meta(tz=True)] | None = None
    queue_seconds: Annotated[float, Meta(gt=0, le=31_622_400)] = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """A run that somebody wants again and again: ``every`` is a cron expression of five fields, read in ``timezone``.

    The ``job`` has no ``at``; its targets are looked up each time.
    """

    every: Annotated[str, Meta(max_length=128)]
    job: JobRequest
    timezone: Annotated[str, Meta(max_length=64)] = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUpdate:
    """How a job stands; ``progress`` is the latest that its run has told, ``None`` before the first."""

    status: JobStatus
    progress: Progress | None = None
