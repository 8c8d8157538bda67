"""The job queue over a real store, with the device's end of the stream played by the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from edgeprof.job import JobState, JobStatus
from edgeprof.run import PhaseKind, Progress
from edgeprof.v1 import uplink_pb2
from edgeprof.v1.uplink_pb2 import CollectorMessage
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import JobRecord
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import DEVICE, PLAN, greeting, job

REQUEST = JobRequest(targets=(DEVICE,), plan=PLAN, model="synth:smollm2-135m@q4_0")


@pytest.fixture
def store(store: SqliteStore) -> SqliteStore:
    store.admit([greeting("another")])
    return store


def status(job_id: str, state: JobState, run_id: str = "") -> JobStatus:
    return JobStatus(job_id=job_id, version=1, state=state, run_id=run_id)


async def submitted_to(queue: JobQueue, request: JobRequest) -> JobRecord:
    (job,) = await queue.submit(request)
    return job


def kinds(messages: list[CollectorMessage]) -> list[str | None]:
    return [message.WhichOneof("body") for message in messages]


def progress(job_id: str, done_ratio: float) -> Progress:
    return Progress(
        run_id="run-1",
        job_id=job_id,
        phase=PhaseKind.STEP,
        done_ratio=done_ratio,
        elapsed_seconds=1,
        remaining_seconds=1,
    )


def test_a_job_waits_for_its_device_and_is_sent_once(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        queued = await submitted_to(queue, replace(REQUEST, queue_seconds=60.0))
        assert queued.state is JobState.QUEUED
        await queue.device_connected("another", [], sent.append)
        assert sent == []
        await queue.device_connected(DEVICE, [], sent.append)
        (message,) = sent
        assert message.job.job_id == queued.job_id
        assert message.job.model == REQUEST.model
        assert message.job.plan.name == PLAN.name
        assert 0 < message.job.start_within_seconds <= 60
        assert (await queue.job(queued.job_id)).state is JobState.SENT

    asyncio.run(scenario())


def test_a_connected_device_has_its_job_at_once(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        assert (await submitted_to(queue, REQUEST)).state is JobState.SENT
        assert kinds(sent) == ["job"]

    asyncio.run(scenario())


def test_jobs_of_a_device_go_one_after_another(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        first, second = await submitted_to(queue, REQUEST), await submitted_to(queue, REQUEST)
        assert (first.state, second.state) == (JobState.SENT, JobState.QUEUED)
        await queue.status_reported(DEVICE, status(first.job_id, JobState.RUNNING, "run-1"))
        assert kinds(sent) == ["job", "job_status_ack"]
        await queue.status_reported(DEVICE, status(first.job_id, JobState.SUCCEEDED, "run-1"))
        assert kinds(sent) == ["job", "job_status_ack", "job_status_ack", "job"]
        assert sent[-1].job.job_id == second.job_id
        done = await queue.job(first.job_id)
        assert (done.state, done.run_id, done.version) == (JobState.SUCCEEDED, "run-1", 4)

    asyncio.run(scenario())


def test_asking_again_gives_the_same_job(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        once = replace(REQUEST, idempotency_key="k")
        assert (await submitted_to(queue, once)).job_id == (await submitted_to(queue, once)).job_id
        assert kinds(sent) == ["job"]
        assert len(await queue.jobs(100)) == 1

    asyncio.run(scenario())


def test_an_unknown_target_is_refused(store: SqliteStore) -> None:
    async def scenario() -> None:
        with pytest.raises(NotFoundError, match="nowhere"):
            await JobQueue(store).submit(replace(REQUEST, targets=("nowhere",)))

    asyncio.run(scenario())


def test_statuses_are_acknowledged_whatever_they_say(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        store.triggers.add_jobs([job("foreign", device_id="another")])
        await queue.device_connected(DEVICE, [], sent.append)
        for job_id in ("unknown", "foreign"):
            await queue.status_reported(DEVICE, status(job_id, JobState.FAILED))
        acknowledged = [(message.job_status_ack.job_id, message.job_status_ack.state) for message in sent]
        assert acknowledged == [("unknown", uplink_pb2.JOB_STATE_FAILED), ("foreign", uplink_pb2.JOB_STATE_FAILED)]
        assert (await queue.job("foreign")).state is JobState.QUEUED

    asyncio.run(scenario())


def test_a_job_lost_on_the_way_is_sent_again(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, lost, sent = JobQueue(store), list[CollectorMessage](), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], lost.append)
        submitted = await submitted_to(queue, REQUEST)
        queue.device_disconnected(DEVICE)
        await queue.device_connected(DEVICE, [], sent.append)
        assert (kinds(lost), kinds(sent)) == (["job"], ["job"])
        queue.device_disconnected(DEVICE)
        sent.clear()
        await queue.device_connected(DEVICE, [status(submitted.job_id, JobState.SENT)], sent.append)
        assert kinds(sent) == ["job_status_ack"]

    asyncio.run(scenario())


def test_a_restarted_collector_takes_up_its_jobs(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        submitted = await submitted_to(queue, REQUEST)
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [status(submitted.job_id, JobState.RUNNING, "run-1")], sent.append)
        assert (await queue.job(submitted.job_id)).state is JobState.RUNNING
        await queue.status_reported(DEVICE, status(submitted.job_id, JobState.SUCCEEDED))
        assert (await queue.job(submitted.job_id)).state is JobState.SUCCEEDED

    asyncio.run(scenario())


def test_a_run_that_an_agent_forgot_has_failed(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        submitted = await submitted_to(queue, REQUEST)
        next_one = await submitted_to(queue, REQUEST)
        await queue.status_reported(DEVICE, status(submitted.job_id, JobState.RUNNING, "run-1"))
        sent.clear()
        await queue.device_connected(DEVICE, [], sent.append)
        failed = await queue.job(submitted.job_id)
        assert (failed.state, failed.run_id) == (JobState.FAILED, "run-1")
        assert [message.job.job_id for message in sent] == [next_one.job_id]

    asyncio.run(scenario())


def test_cancelling_a_waiting_job_ends_it(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        submitted = await submitted_to(queue, REQUEST)
        assert (await queue.cancel(submitted.job_id)).state is JobState.CANCELLED
        await queue.device_connected(DEVICE, [], sent.append)
        assert sent == []

    asyncio.run(scenario())


def test_cancelling_a_running_job_asks_its_device(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        submitted = await submitted_to(queue, REQUEST)
        running = status(submitted.job_id, JobState.RUNNING, "run-1")
        await queue.status_reported(DEVICE, running)
        sent.clear()
        assert (await queue.cancel(submitted.job_id)).state is JobState.RUNNING
        assert [message.cancel.job_id for message in sent] == [submitted.job_id]
        sent.clear()
        await queue.device_connected(DEVICE, [running], sent.append)  # the wish may have been lost
        assert kinds(sent) == ["job_status_ack", "cancel"]
        await queue.status_reported(DEVICE, status(submitted.job_id, JobState.CANCELLED))
        assert (await queue.cancel(submitted.job_id)).state is JobState.CANCELLED

    asyncio.run(scenario())


def test_a_job_that_waits_too_long_expires(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue = JobQueue(store)
        expiring = asyncio.create_task(queue.tend())
        lasting = await submitted_to(queue, REQUEST)
        brief = await submitted_to(queue, replace(REQUEST, queue_seconds=0.05))
        async with aclosing(queue.watch([brief.job_id])) as updates:
            assert [update.status.state async for update in updates][-1] is JobState.EXPIRED
        assert (await queue.job(lasting.job_id)).state is JobState.QUEUED
        expiring.cancel()
        await asyncio.gather(expiring, return_exceptions=True)

    asyncio.run(scenario())


def test_watching_a_job_to_its_end(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        await queue.device_connected(DEVICE, [], sent.append)
        job_id = (await submitted_to(queue, REQUEST)).job_id
        async with aclosing(queue.watch([job_id])) as updates:

            async def following() -> tuple[JobState, float | None]:
                update = await asyncio.wait_for(updates.__anext__(), 30)
                return update.status.state, update.progress.done_ratio if update.progress else None

            assert await following() == (JobState.SENT, None)
            await queue.status_reported(DEVICE, status(job_id, JobState.RUNNING, "run-1"))
            assert await following() == (JobState.RUNNING, None)
            queue.progress_reported(progress(job_id, 0.25))
            queue.progress_reported(progress("another job", 0.75))
            assert await following() == (JobState.RUNNING, 0.25)
            queue.progress_reported(progress(job_id, 0.5))
            queue.progress_reported(progress(job_id, 0.9))  # a slow watcher hears the latest alone
            assert await following() == (JobState.RUNNING, 0.9)
            await queue.status_reported(DEVICE, status(job_id, JobState.FAILED, "run-1"))
            assert await following() == (JobState.FAILED, 0.9)
            with pytest.raises(StopAsyncIteration):
                await following()

    asyncio.run(scenario())


def test_watching_a_finished_job_gives_its_end_alone(store: SqliteStore) -> None:
    async def collect(updates: AsyncIterator[JobUpdate]) -> list[JobState]:
        return [update.status.state async for update in updates]

    async def scenario() -> None:
        queue = JobQueue(store)
        submitted = await submitted_to(queue, REQUEST)
        await queue.cancel(submitted.job_id)
        assert await collect(queue.watch([submitted.job_id])) == [JobState.CANCELLED]
        with pytest.raises(NotFoundError):
            await collect(queue.watch(["unknown"]))

    asyncio.run(scenario())


def test_submissions_at_the_same_time_are_each_sent_once(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue, sent = JobQueue(store), list[CollectorMessage]()
        connecting = queue.device_connected(DEVICE, [], sent.append)
        await asyncio.gather(*(submitted_to(queue, REQUEST) for _ in range(5)), connecting)
        assert len([message for message in sent if message.HasField("job")]) == 1
        finished = set[str]()
        while len(finished) < 5:
            current = sent[-1].job.job_id
            assert current not in finished
            finished.add(current)
            await queue.status_reported(DEVICE, status(current, JobState.SUCCEEDED))
        assert {one.state for one in await queue.jobs(100)} == {JobState.SUCCEEDED}

    asyncio.run(scenario())


def test_closing_ends_what_is_watched(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue = JobQueue(store)
        job_id = (await submitted_to(queue, REQUEST)).job_id
        async with aclosing(queue.watch([job_id])) as updates:
            assert (await updates.__anext__()).status.state is JobState.QUEUED
            queue.close()
            assert [update.status.state async for update in updates] == [JobState.QUEUED]
        assert [update.status.state async for update in queue.watch([job_id])] == [JobState.QUEUED]

    asyncio.run(scenario())
