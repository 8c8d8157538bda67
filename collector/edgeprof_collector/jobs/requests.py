"""From a request to the jobs that it asks for."""

import uuid
from collections.abc import Sequence
from datetime import timezone

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobState
from edgeprof_collector.jobs.messages import JobRequest
from edgeprof_collector.store.records import DeviceRecord, JobRecord

# A clock that is a little ahead of the caller's does not make "now" the past.
_PAST_SECONDS = 60.0
# A schedule that nobody looks after, or a script gone wild, ends here and not with a full disk.
MOST_OPEN_JOBS = 100


class ConflictError(EdgeprofError):
    """What is asked for contradicts what is stored."""


def start_wall_ns(request: JobRequest, now_wall_ns: int) -> int:
    """When the request's jobs may start; 0 for at once.

    Raises:
        EdgeprofError: that has passed.
    """
    if request.at is None:
        return 0
    start_ns = round(request.at.timestamp() * 1e9)
    if start_ns < now_wall_ns - _PAST_SECONDS * 1e9:
        when = request.at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        raise EdgeprofError(f"{when} has passed: give a time that is still to come, or leave it out to start now")
    return start_ns


def jobs_of(
    request: JobRequest,
    devices: Sequence[DeviceRecord],
    now_wall_ns: int,
    *,
    starts_wall_ns: int,
    schedule_id: str = "",
) -> list[JobRecord]:
    """A job for each device, in their order."""
    expires_wall_ns = (starts_wall_ns or now_wall_ns) + round(request.queue_seconds * 1e9)
    return [
        JobRecord(
            job_id=uuid.uuid4().hex,
            device_id=device.facts.device_id,
            plan=request.plan,
            model=request.model,
            engine=request.engine,
            python=request.python,
            idempotency_key=request.idempotency_key,
            created_wall_ns=now_wall_ns,
            updated_wall_ns=now_wall_ns,
            starts_wall_ns=starts_wall_ns,
            expires_wall_ns=expires_wall_ns,
            schedule_id=schedule_id,
        )
        for device in devices
    ]


def without_waiting(
    devices: Sequence[DeviceRecord], open_jobs: Sequence[JobRecord], schedule_id: str
) -> tuple[DeviceRecord, ...]:
    """The devices that have no job of this schedule waiting: one that is off runs it once when it is back."""
    waiting = {job.device_id for job in open_jobs if job.schedule_id == schedule_id and job.state is JobState.QUEUED}
    return tuple(device for device in devices if device.facts.device_id not in waiting)


def refuse_another_request(request: JobRequest, known: Sequence[JobRecord]) -> None:
    """Refuse an idempotency key that somebody has used for something else.

    Raises:
        ConflictError: the known jobs do other work than the request asks for.
    """
    asked = (request.plan, request.model, request.engine, request.python)
    if any((job.plan, job.model, job.engine, job.python) != asked for job in known):
        raise ConflictError(
            f"the idempotency key '{request.idempotency_key}' was used for another request: take another key"
        )


def refuse_too_many(jobs: Sequence[JobRecord], open_jobs: Sequence[JobRecord]) -> None:
    """Refuse jobs for a device that has too many waiting.

    Raises:
        ConflictError: it has.
    """
    counts: dict[str, int] = {}
    for waiting in open_jobs:
        counts[waiting.device_id] = counts.get(waiting.device_id, 0) + 1
    for job in jobs:
        if counts.get(job.device_id, 0) >= MOST_OPEN_JOBS:
            raise ConflictError(
                f"{job.device_id} has {MOST_OPEN_JOBS} jobs waiting: cancel some (edgeprof cancel), or wait for them"
            )
