"""Requests with a time, for several devices, and what is refused of them."""

import asyncio
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobState, JobStatus
from edgeprof.v1.uplink_pb2 import CollectorMessage
from edgeprof_collector.jobs import requests
from edgeprof_collector.jobs.messages import JobRequest
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.requests import ConflictError
from edgeprof_collector.jobs.states import LEASE_SECONDS
from edgeprof_collector.store.access_records import DeviceCertificate
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.jobs.tending import Clock, tending
from tests.collector.store.samples import DEVICE, PLAN, SECOND_NS, greeting

REQUEST = JobRequest(targets=(DEVICE,), plan=PLAN)
AT = datetime(2026, 11, 22, 2, 0, tzinfo=timezone.utc)
AT_NS = round(AT.timestamp()) * SECOND_NS


@pytest.fixture
def store(store: SqliteStore) -> SqliteStore:
    store.admit([greeting("another")])
    return store


def test_a_label_means_each_of_its_devices_once(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue = JobQueue(store)
        jobs = await queue.submit(replace(REQUEST, targets=("site=lab", DEVICE, "all"), idempotency_key="k"))
        assert {job.device_id for job in jobs} == {DEVICE, "another"}
        store.admit([greeting("a third")])
        again = await queue.submit(replace(REQUEST, targets=("all",), idempotency_key="k"))
        assert again == jobs  # an impatient caller does not reach a device that has come since

    asyncio.run(scenario())


def test_a_request_with_one_wrong_target_makes_no_job_at_all(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue = JobQueue(store)
        with pytest.raises(NotFoundError, match="'nowhere'"):
            await queue.submit(replace(REQUEST, targets=(DEVICE, "nowhere")))
        assert await queue.jobs(10) == ()

    asyncio.run(scenario())


def test_a_key_does_for_one_request_only(store: SqliteStore) -> None:
    async def scenario() -> None:
        queue = JobQueue(store)
        await queue.submit(replace(REQUEST, idempotency_key="k"))
        with pytest.raises(ConflictError, match="'k' was used for another request"):
            await queue.submit(replace(REQUEST, idempotency_key="k", model="other"))

    asyncio.run(scenario())


def test_a_device_with_too_many_jobs_takes_no_more(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST_OPEN_JOBS", 2)

    async def scenario() -> None:
        queue = JobQueue(store)
        for _ in range(2):
            await queue.submit(REQUEST)
        with pytest.raises(ConflictError, match=f"{DEVICE} has 2 jobs waiting"):
            await queue.submit(replace(REQUEST, targets=("all",)))
        assert len(await queue.jobs(10)) == 2

    asyncio.run(scenario())


def test_a_job_waits_for_its_time_while_others_go_before_it(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock, sent = Clock(AT_NS - 3600 * SECOND_NS), list[CollectorMessage]()
        queue = JobQueue(store, clock)
        await queue.device_connected(DEVICE, [], sent.append)
        (nightly,) = await queue.submit(replace(REQUEST, at=AT, queue_seconds=60))
        (now,) = await queue.submit(REQUEST)
        assert [message.job.job_id for message in sent] == [now.job_id]
        await queue.status_reported(DEVICE, JobStatus(job_id=now.job_id, version=1, state=JobState.SUCCEEDED))
        clock.now_ns = AT_NS
        async with tending(queue):
            await clock.until(lambda: sent[-1].HasField("job") and sent[-1].job.job_id == nightly.job_id)
        assert sent[-1].job.start_within_seconds == 60

    asyncio.run(scenario())


def test_a_time_that_has_passed_is_refused_but_not_when_asked_again(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock = Clock(AT_NS - SECOND_NS)
        queue = JobQueue(store, clock)
        keyed = replace(REQUEST, at=AT, idempotency_key="k")
        first = await queue.submit(keyed)
        clock.now_ns = AT_NS + 7200 * SECOND_NS
        assert await queue.submit(keyed) == first
        with pytest.raises(EdgeprofError, match="2026-11-22 02:00 UTC has passed"):
            await queue.submit(replace(REQUEST, at=AT))

    asyncio.run(scenario())


async def away_while_running(queue: JobQueue, sent: list[CollectorMessage]) -> JobStatus:
    """Have the device begin a job and go away; return what it said last."""
    await queue.device_connected(DEVICE, [], sent.append)
    (job,) = await queue.submit(REQUEST)
    running = JobStatus(job_id=job.job_id, version=1, state=JobState.RUNNING, run_id="run-1")
    await queue.status_reported(DEVICE, running)
    queue.device_disconnected(DEVICE)
    return running


def test_a_device_that_does_not_come_back_in_time_has_timed_out_and_is_told_so(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock, sent = Clock(AT_NS), list[CollectorMessage]()
        queue = JobQueue(store, clock)
        running = await away_while_running(queue, sent)
        async with tending(queue):
            await clock.until_true(lambda: _leased(queue, running.job_id))
            clock.now_ns += round((PLAN.limits.time_seconds + LEASE_SECONDS) * SECOND_NS)
            queue.device_disconnected("another")  # a reason to look at the clock
            await clock.until_true(lambda: _is(queue, running.job_id, JobState.TIMED_OUT))
        sent.clear()
        await queue.device_connected(DEVICE, [running], sent.append)
        assert [message.WhichOneof("body") for message in sent] == ["cancel", "job_status_ack"]
        await queue.status_reported(DEVICE, replace(running, state=JobState.SUCCEEDED))
        late = await queue.job(running.job_id)
        assert (late.state, late.run_id) == (JobState.TIMED_OUT, "run-1")

    asyncio.run(scenario())


def test_a_device_that_comes_back_in_time_goes_on(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock, sent = Clock(AT_NS), list[CollectorMessage]()
        queue = JobQueue(store, clock)
        running = await away_while_running(queue, sent)
        async with tending(queue):
            await clock.until_true(lambda: _leased(queue, running.job_id))
            await queue.device_connected(DEVICE, [running], sent.append)
            assert not await _leased(queue, running.job_id)
            clock.now_ns += 10**6 * SECOND_NS
            queue.device_disconnected("another")
            await queue.status_reported(DEVICE, replace(running, state=JobState.SUCCEEDED))
            assert await _is(queue, running.job_id, JobState.SUCCEEDED)

    asyncio.run(scenario())


async def _leased(queue: JobQueue, job_id: str) -> bool:
    return (await queue.job(job_id)).lease_expires_wall_ns is not None


async def _is(queue: JobQueue, job_id: str, state: JobState) -> bool:
    return (await queue.job(job_id)).state is state


def revoke(store: SqliteStore, device_id: str) -> None:
    """As an admin does it: the device has a certificate, which counts no more."""
    store.access.meet(
        DeviceCertificate(
            device_id=device_id, serial="1", key_digest=b"key", issued_wall_ns=1, expires_wall_ns=AT_NS * 2
        )
    )
    store.access.revoke_device(device_id, AT_NS)


def test_a_revoked_device_is_not_asked_and_its_jobs_end(store: SqliteStore) -> None:
    async def scenario() -> None:
        clock, sent = Clock(AT_NS), list[CollectorMessage]()
        queue = JobQueue(store, clock)
        await queue.device_connected(DEVICE, [], sent.append)
        (running,) = await queue.submit(REQUEST)
        (waiting,) = await queue.submit(REQUEST)
        revoke(store, DEVICE)
        async with tending(queue):
            queue.device_disconnected(DEVICE)  # revoking ends its stream
            await clock.until_true(lambda: _is(queue, waiting.job_id, JobState.REJECTED))
        given_up = await queue.job(running.job_id)
        assert (given_up.state, given_up.reason) == (JobState.FAILED, "the device was revoked while it had the job")
        assert (await queue.job(waiting.job_id)).reason.startswith("the device is revoked: enrol it again")
        with pytest.raises(EdgeprofError, match=f"'{DEVICE}': the device is revoked: enrol it again"):
            await queue.submit(REQUEST)
        (other,) = await queue.submit(replace(REQUEST, targets=("all",)))
        assert other.device_id == "another"

    asyncio.run(scenario())
