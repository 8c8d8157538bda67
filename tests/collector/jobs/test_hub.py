"""What a watcher of jobs is told."""

import asyncio

from edgeprof.job import JobState, JobStatus
from edgeprof_collector.jobs.hub import JobHub

SENT = JobStatus(job_id="a", version=2, state=JobState.SENT)
REJECTED = JobStatus(job_id="a", version=3, state=JobState.REJECTED, reason="not allowed")


def states_told(*, published: tuple[JobStatus, ...], looked_up: JobStatus) -> list[JobState]:
    """What a watcher is told for whom a job was looked up while its news came."""
    hub = JobHub()

    async def watch() -> list[JobState]:
        with hub.watching(["a"]) as watcher:
            for status in published:
                hub.publish_status(status)
            watcher.start_from(looked_up)
            return [update.status.state async for update in watcher.updates()]

    return asyncio.run(asyncio.wait_for(watch(), 10))


def test_what_was_looked_up_is_told_where_there_was_no_news() -> None:
    assert states_told(published=(), looked_up=REJECTED) == [JobState.REJECTED]


def test_the_end_of_a_job_is_not_undone_by_what_was_looked_up_before_it() -> None:
    assert states_told(published=(REJECTED,), looked_up=SENT) == [JobState.REJECTED]
