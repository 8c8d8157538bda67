"""States of jobs."""

from edgeprof.job import JobState


def test_a_job_is_final_once_nothing_more_will_happen() -> None:
    assert [state for state in JobState if not state.final] == [JobState.QUEUED, JobState.SENT, JobState.RUNNING]
