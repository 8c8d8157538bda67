"""Which state of a job follows which."""

from dataclasses import replace

import pytest

from edgeprof.job import JobState, JobStatus
from edgeprof_collector.jobs import states
from tests.collector.store.samples import SECOND_NS, WALL_NS, job

FINAL = [state for state in JobState if state.final]
OPEN = [JobState.QUEUED, JobState.SENT, JobState.RUNNING]
LATE_NS = WALL_NS + 4000 * SECOND_NS


def status(state: JobState, run_id: str = "") -> JobStatus:
    return JobStatus(job_id="job-1", version=2, state=state, reason="why", run_id=run_id)


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("reported", list(JobState))
def test_a_final_state_stays(state: JobState, reported: JobState) -> None:
    done = replace(job(), state=state)
    assert states.reported(done, status(reported)) is done
    assert states.cancelled(done) is done
    assert states.expired(done, LATE_NS) is done
    assert states.forgotten(done, LATE_NS) is done


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("reported", list(JobState))
def test_a_job_never_goes_back(state: JobState, reported: JobState) -> None:
    before = replace(job(), state=state)
    after = states.reported(before, status(reported, "run-1"))
    goes_on = reported.final or OPEN.index(reported) > OPEN.index(state)
    assert (after is not before) == goes_on
    assert after.state is (reported if goes_on else state)
    assert after.run_id == ("run-1" if goes_on else "")


def test_a_run_id_is_kept() -> None:
    running = states.reported(job(), status(JobState.RUNNING, "run-1"))
    assert states.reported(running, status(JobState.FAILED)).run_id == "run-1"


def test_cancelling() -> None:
    assert states.cancelled(job()).state is JobState.CANCELLED
    for state in (JobState.SENT, JobState.RUNNING):
        wanted = states.cancelled(replace(job(), state=state))
        assert (wanted.state, wanted.cancel_requested) == (state, True)
        assert states.cancelled(wanted) is wanted


def test_expiring() -> None:
    early = job().expires_wall_ns - 1
    assert states.expired(job(), early).state is JobState.QUEUED
    assert states.expired(job(), early + 1).state is JobState.EXPIRED
    assert states.expired(replace(job(), state=JobState.SENT), LATE_NS).state is JobState.SENT


def test_what_becomes_of_a_job_that_its_device_forgot() -> None:
    sent = replace(job(), state=JobState.SENT)
    assert states.forgotten(job(), WALL_NS).state is JobState.QUEUED
    assert states.forgotten(sent, WALL_NS).state is JobState.SENT
    assert states.forgotten(sent, LATE_NS).state is JobState.EXPIRED
    assert states.forgotten(replace(sent, cancel_requested=True), WALL_NS).state is JobState.CANCELLED
    lost = states.forgotten(replace(job(), state=JobState.RUNNING), WALL_NS)
    assert (lost.state, bool(lost.reason)) == (JobState.FAILED, True)


def test_the_command_says_how_much_time_is_left() -> None:
    assert states.command_of(job(), WALL_NS + 3590 * SECOND_NS).start_within_seconds == 10.0
    assert states.command_of(job(), LATE_NS).start_within_seconds == 0.0
