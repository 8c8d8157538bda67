"""Which state of a job follows which."""

from dataclasses import replace

import pytest

from edgeprof.job import JobState, JobStatus
from edgeprof_collector.jobs import states
from tests.collector.store.samples import PLAN, SECOND_NS, WALL_NS, job

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
    assert states.tended(done, LATE_NS, connected=False) is done
    assert states.forgotten(done, LATE_NS) is done
    late = states.reported(done, status(reported, "run-1"))
    assert (late.state, late.run_id) == (state, "run-1")  # its results came after all


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
    for connected in (False, True):
        assert states.tended(job(), early, connected=connected) == job()
        assert states.tended(job(), early + 1, connected=connected).state is JobState.EXPIRED


@pytest.mark.parametrize("state", [JobState.SENT, JobState.RUNNING])
def test_a_device_that_has_a_job_may_be_away_for_a_while(state: JobState) -> None:
    held = replace(job(), state=state)
    assert states.tended(held, LATE_NS, connected=True) is held
    leased = states.tended(held, WALL_NS, connected=False)
    until = WALL_NS + round((PLAN.limits.time_seconds + states.LEASE_SECONDS) * SECOND_NS)
    assert (leased.state, leased.lease_expires_wall_ns) == (state, until)
    assert states.due_wall_ns(leased, WALL_NS, connected=False) == until
    assert states.tended(leased, until - 1, connected=False) is leased
    assert states.tended(leased, until, connected=True) == held
    assert states.tended(leased, until, connected=False).state is JobState.TIMED_OUT
    wanted = replace(leased, cancel_requested=True)
    assert states.tended(wanted, until, connected=False).state is JobState.CANCELLED


def test_a_job_is_looked_at_when_it_may_start_and_when_it_expires() -> None:
    later = replace(job(), starts_wall_ns=WALL_NS + 5)
    assert states.due_wall_ns(later, WALL_NS, connected=True) == WALL_NS + 5
    assert states.due_wall_ns(later, WALL_NS + 5, connected=True) == job().expires_wall_ns
    assert states.due_wall_ns(replace(job(), state=JobState.RUNNING), WALL_NS, connected=True) is None


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
