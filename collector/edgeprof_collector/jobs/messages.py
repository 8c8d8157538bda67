"""What people ask of the job queue, and what they hear of it."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from edgeprof.job import JobStatus
from edgeprof.plan import Name, Plan
from edgeprof.run import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A run that somebody wants.

    ``target`` is a device's id, or its hostname if no other device has it. ``model`` is a path on the device or a
    synthetic shape; empty, the device chooses a shape that fits. ``engine`` and ``python`` are the device's own
    defaults when empty. Asking again with the same ``idempotency_key`` gives the job of the first time. The job is
    given up if it has not started after ``queue_seconds``.
    """

    target: Name
    plan: Plan
    model: str = ""
    engine: str = ""
    python: str = ""
    idempotency_key: str = ""
    queue_seconds: Annotated[float, Meta(gt=0)] = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUpdate:
    """How a job stands; ``progress`` is the latest that its run has told, ``None`` before the first."""

    status: JobStatus
    progress: Progress | None = None
