"""The stream of a job's updates, seen from within."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from edgeprof.job import JobState, JobStatus
from edgeprof_collector.jobs.messages import JobUpdate
from edgeprof_collector.web.job_events import event_lines


def _update(state: JobState) -> JobUpdate:
    return JobUpdate(status=JobStatus(job_id="j", version=1, state=state))


def test_empty_lines_show_that_the_stream_is_alive() -> None:
    async def scenario() -> list[bytes]:
        go_on = asyncio.Event()

        async def updates() -> AsyncIterator[JobUpdate]:
            yield _update(JobState.RUNNING)
            await go_on.wait()
            yield _update(JobState.SUCCEEDED)

        lines = []
        async for line in event_lines(updates(), sign_of_life_seconds=0.01):
            lines.append(line)
            if lines.count(b"\n") == 2:
                go_on.set()
        return lines

    first, *silence, last = asyncio.run(scenario())

    assert msgspec.json.decode(first, type=JobUpdate) == _update(JobState.RUNNING)
    assert set(silence) == {b"\n"}
    assert msgspec.json.decode(last, type=JobUpdate) == _update(JobState.SUCCEEDED)


def test_a_watcher_that_leaves_ends_the_watching() -> None:
    async def scenario() -> bool:
        left = asyncio.Event()

        async def updates() -> AsyncIterator[JobUpdate]:
            try:
                yield _update(JobState.RUNNING)
                await asyncio.Event().wait()
            finally:
                left.set()

        lines = event_lines(updates())
        await anext(lines)
        await lines.aclose()  # type: ignore[attr-defined]  # an async generator behind its interface
        return left.is_set()

    assert asyncio.run(scenario())
