"""Which state of a job may follow which. Pure functions over records."""

from dataclasses import replace

from edgeprof.job import JobCommand, JobState, JobStatus
from edgeprof_collector.store.records import JobRecord

_ORDER = {JobState.QUEUED: 0, JobState.SENT: 1, JobState.RUNNING: 2}
_LAST = 3

# How long a device that has a job may be away, beyond the time that its run may take: long enough for a network to be
# mended, short enough that nobody waits for ever.
LEASE_SECONDS = 3600.0

REVOKED = "the device is revoked: enrol it again before it can run anything"


def status_of(job: JobRecord) -> JobStatus:
    """How the job stands, as it is told."""
    return JobStatus(job_id=job.job_id, version=job.version, state=job.state, reason=job.reason, run_id=job.run_id)


def command_of(job: JobRecord, now_wall_ns: int) -> JobCommand:
    """What the device is asked to do."""
    return JobCommand(
        job_id=job.job_id,
        version=job.version,
        plan=job.plan,
        model=job.model,
        engine=job.engine,
        python=job.python,
        start_within_seconds=max(job.expires_wall_ns - now_wall_ns, 0) / 1e9,
    )


def reported(job: JobRecord, status: JobStatus) -> JobRecord:
    """The job after its device has told how it stands. A job never goes back, and a final state stays.

    Of a job that was given up while its device was away, the run is still noted: its results have come.
    """
    if job.state.final:
        late = status.run_id and not job.run_id
        return replace(job, run_id=status.run_id) if late else job
    if _ORDER.get(status.state, _LAST) <= _ORDER[job.state]:
        return job
    return replace(job, state=status.state, reason=status.reason, run_id=status.run_id or job.run_id)


def sent(job: JobRecord) -> JobRecord:
    """The job when it is handed to its device."""
    return replace(job, state=JobState.SENT) if job.state is JobState.QUEUED else job


def cancelled(job: JobRecord) -> JobRecord:
    """The job after somebody gave it up: at once if its device never had it, else when the device says so."""
    if job.state is JobState.QUEUED:
        return replace(job, state=JobState.CANCELLED, reason="cancelled before it was sent", cancel_requested=True)
    if job.state.final or job.cancel_requested:
        return job
    return replace(job, cancel_requested=True)


def revoked(job: JobRecord) -> JobRecord:
    """The job when its device may not connect any more."""
    if job.state.final:
        return job
    if job.state is JobState.QUEUED:
        return replace(job, state=JobState.REJECTED, reason=REVOKED)
    return replace(job, state=JobState.FAILED, reason="the device was revoked while it had the job")


def tended(job: JobRecord, now_wall_ns: int, *, connected: bool) -> JobRecord:
    """The job as it should be now, by the clock and by whether its device is connected.

    One that waits too long expires. One that its device has, while that is away, is given up with the end of a lease.
    """
    if job.state is JobState.QUEUED and now_wall_ns >= job.expires_wall_ns:
        return replace(job, state=JobState.EXPIRED, reason="the device did not take it in time")
    if job.state is JobState.QUEUED or job.state.final:
        return job
    if connected:
        return job if job.lease_expires_wall_ns is None else replace(job, lease_expires_wall_ns=None)
    return _while_away(job, now_wall_ns)


def _while_away(job: JobRecord, now_wall_ns: int) -> JobRecord:
    """The job while the device that has it is away."""
    if job.lease_expires_wall_ns is None:
        lease_seconds = job.plan.limits.time_seconds + LEASE_SECONDS
        return replace(job, lease_expires_wall_ns=now_wall_ns + round(lease_seconds * 1e9))
    if now_wall_ns < job.lease_expires_wall_ns:
        return job
    if job.cancel_requested:
        return replace(job, state=JobState.CANCELLED, reason="cancelled; its device was not heard of again")
    return replace(job, state=JobState.TIMED_OUT, reason="the device went away with it and did not come back in time")


def due_wall_ns(job: JobRecord, now_wall_ns: int, *, connected: bool) -> int | None:
    """When :func:`tended` will next change a job, or it may start; ``None`` if the clock alone changes nothing."""
    if job.state is JobState.QUEUED:
        return job.starts_wall_ns if job.starts_wall_ns > now_wall_ns else job.expires_wall_ns
    return None if connected else job.lease_expires_wall_ns


def forgotten(job: JobRecord, now_wall_ns: int) -> JobRecord:
    """The job when its device has connected and does not know it: lost on the way, or with the agent's memory."""
    if job.state is JobState.RUNNING:
        return replace(job, state=JobState.FAILED, reason="the agent ended during the run and lost the job")
    if job.state is not JobState.SENT:
        return job
    if job.cancel_requested:
        return replace(job, state=JobState.CANCELLED, reason="cancelled before the device had it")
    if now_wall_ns >= job.expires_wall_ns:
        return replace(job, state=JobState.EXPIRED, reason="the device did not have it in time")
    return job
