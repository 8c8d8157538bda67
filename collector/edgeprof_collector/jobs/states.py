"""Which state of a job may follow which. Pure functions over records."""

from dataclasses import replace

from edgeprof.job import JobCommand, JobState, JobStatus
from edgeprof_collector.store.records import JobRecord

_ORDER = {JobState.QUEUED: 0, JobState.SENT: 1, JobState.RUNNING: 2}
_LAST = 3


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
    """The job after its device has told how it stands. A job never goes back, and a final state stays."""
    if job.state.final or _ORDER.get(status.state, _LAST) <= _ORDER[job.state]:
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


def expired(job: JobRecord, now_wall_ns: int) -> JobRecord:
    """The job when its time in the queue may be over."""
    if job.state is not JobState.QUEUED or now_wall_ns < job.expires_wall_ns:
        return job
    return replace(job, state=JobState.EXPIRED, reason="the device did not connect in time")


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
