"""Jobs on their way down a device's stream, and how they go on its way up."""

import asyncio
import sqlite3
from contextlib import aclosing
from pathlib import Path

import grpc
import pytest

from edgeprof.job import JobState, JobStatus
from edgeprof.messages import to_message
from edgeprof.run import PhaseKind, Progress
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.jobs.messages import JobRequest
from edgeprof_collector.store import database
from tests.collector.intake.device import running_intake
from tests.collector.store.samples import DEVICE, PLAN, event_message, started

REQUEST = JobRequest(targets=(DEVICE,), plan=PLAN)


def status_message(job_id: str, state: JobState) -> AgentMessage:
    return AgentMessage(job_status=to_message(JobStatus(job_id=job_id, version=1, state=state, run_id="run-1")))


def test_a_job_goes_down_and_its_states_come_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            (job,) = await running.jobs.submit(REQUEST)
            job_id = job.job_id
            assert (await device.hear("job")).job.job_id == job_id
            async with aclosing(running.jobs.watch([job_id])) as updates:
                assert (await updates.__anext__()).status.state is JobState.SENT
                await device.send(status_message(job_id, JobState.RUNNING))
                assert (await device.hear("job_status_ack")).job_status_ack.job_id == job_id
                assert (await updates.__anext__()).status.state is JobState.RUNNING
                progress = Progress(
                    run_id="run-1",
                    job_id=job_id,
                    phase=PhaseKind.STEP,
                    done_ratio=0.5,
                    elapsed_seconds=1,
                    remaining_seconds=1,
                )
                await device.send(AgentMessage(progress=to_message(progress)))
                assert (await updates.__anext__()).progress == progress
                await running.jobs.cancel(job_id)
                assert (await device.hear("cancel")).cancel.job_id == job_id
                await device.send(status_message(job_id, JobState.CANCELLED))
                while (update := await updates.__anext__()).status.state is JobState.RUNNING:
                    pass
                assert update.status.state is JobState.CANCELLED

    asyncio.run(scenario())


def test_what_a_job_has_done_is_stored_before_its_end_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            (job,) = await running.jobs.submit(REQUEST)
            job_id = job.job_id
            await device.hear("job")
            async with aclosing(running.jobs.watch([job_id])) as updates:
                await device.send(event_message(1, started()), status_message(job_id, JobState.SUCCEEDED))
                while not (await updates.__anext__()).status.state.final:
                    pass
                assert [run.run_id for run in running.store.runs()] == ["run-1"]

    asyncio.run(scenario())


def test_the_hello_says_which_jobs_the_device_knows(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            first = await running.connected()
            (job,) = await running.jobs.submit(REQUEST)
            job_id = job.job_id
            assert (await first.hear("job")).job.job_id == job_id
            await first.close()
            known = status_message(job_id, JobState.RUNNING).job_status
            second = running.device()
            await second.connect(jobs=[known])
            assert (await second.next()).job_status_ack.job_id == job_id
            assert (await running.jobs.job(job_id)).state is JobState.RUNNING

    asyncio.run(scenario())


def test_a_status_that_cannot_be_stored_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)

    async def scenario() -> None:
        async with running_intake(tmp_path) as running:
            device = await running.connected()
            (job,) = await running.jobs.submit(REQUEST)
            job_id = job.job_id
            await device.hear("job")
            holder = sqlite3.connect(tmp_path / "edgeprof.sqlite", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            running_status = status_message(job_id, JobState.RUNNING)
            await device.send(running_status)
            assert (await device.end())[0] is grpc.StatusCode.UNAVAILABLE
            holder.execute("ROLLBACK")
            holder.close()
            await running.device().connect(jobs=[running_status.job_status])
            async with aclosing(running.jobs.watch([job_id])) as updates:
                while (await updates.__anext__()).status.state is not JobState.RUNNING:
                    pass

    asyncio.run(scenario())
