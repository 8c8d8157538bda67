"""Jobs, statuses, settings and progress on the stream."""

import asyncio
from dataclasses import replace
from pathlib import Path

from edgeprof.job import JobCommand, JobState, JobStatus
from edgeprof.messages import to_message
from edgeprof.plan import Plan, Step, StepKind
from edgeprof.run import PhaseKind, Progress
from edgeprof.v1 import plan_pb2, uplink_pb2
from edgeprof.v1.uplink_pb2 import CollectorMessage, JobCancel, Settings
from tests.agent.uplink.small_collector import SmallCollector, serving
from tests.agent.uplink.small_device import device

COMMAND = JobCommand(
    job_id="job-1", version=3, plan=Plan(name="tiny", steps=(Step(kind=StepKind.PREFILL, prompt_tokens=8),))
)
RUNNING = JobStatus(job_id="job-1", version=3, state=JobState.RUNNING, run_id="run-1")
PROGRESS = Progress(run_id="run-1", phase=PhaseKind.STEP, done_ratio=0.1, elapsed_seconds=1.0, remaining_seconds=9.0)


def test_the_collectors_wishes_are_handed_on(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port, device(tmp_path, port) as agent:
            await collector.outgoing.put(CollectorMessage(job=to_message(COMMAND)))
            await collector.outgoing.put(CollectorMessage(settings=Settings(idle_frame_seconds=1.0)))
            await collector.outgoing.put(CollectorMessage(cancel=JobCancel(job_id="job-1")))
            await asyncio.wait_for(agent.wishes.cancelled_one.wait(), 30)
            assert agent.wishes.jobs == [COMMAND]
            assert agent.wishes.idle_frame_seconds == [1.0]
            assert agent.wishes.cancelled == ["job-1"]

    asyncio.run(main())


def test_a_job_that_this_version_cannot_read_is_rejected(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port, device(tmp_path, port) as agent:
            plan = plan_pb2.Plan(name="from the future", steps=[plan_pb2.Step()])  # a kind that is not known
            job = uplink_pb2.JobCommand(job_id="job-9", version=1, plan=plan)
            await collector.outgoing.put(CollectorMessage(job=job))
            await collector.until(lambda: bool(collector.statuses))
            assert not agent.wishes.jobs
        (status, *_) = collector.statuses
        assert (status.job_id, status.state) == ("job-9", uplink_pb2.JOB_STATE_REJECTED)
        assert "does not understand the job" in status.reason

    asyncio.run(main())


def test_a_status_is_told_until_it_is_acknowledged_and_again_on_each_stream(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        collector.acknowledging_statuses = False
        async with serving(collector) as port:
            async with device(tmp_path, port) as agent:
                await collector.until(lambda: len(collector.hellos) == 1)
                agent.ledger.record(RUNNING)
                agent.outbox.wake.set()
                await collector.until(lambda: len(collector.statuses) == 1)
            finished = replace(RUNNING, state=JobState.SUCCEEDED)
            collector.acknowledging_statuses = True
            async with device(tmp_path, port) as agent:
                await collector.until(lambda: len(collector.statuses) == 2)
                agent.ledger.record(finished)
                agent.outbox.wake.set()
                await collector.until(lambda: len(collector.statuses) == 3)
                await agent.uplink.drain(30)
                assert agent.ledger.untold() == ()
            async with device(tmp_path, port):
                await collector.until(lambda: len(collector.hellos) == 3)
        states = [status.state for status in collector.statuses]
        assert states == [
            uplink_pb2.JOB_STATE_RUNNING,
            uplink_pb2.JOB_STATE_RUNNING,
            uplink_pb2.JOB_STATE_SUCCEEDED,
        ]
        assert [[job.job_id for job in hello.jobs] for hello in collector.hellos] == [[], ["job-1"], []]

    asyncio.run(main())


def test_only_the_latest_progress_is_sent_and_only_when_connected(tmp_path: Path) -> None:
    async def main() -> None:
        collector = SmallCollector()
        async with serving(collector) as port, device(tmp_path, port) as agent:
            agent.uplink.report(replace(PROGRESS, done_ratio=0.0))  # nobody can hear it
            await collector.until(lambda: bool(collector.hellos))
            agent.sample(1)
            await collector.until(lambda: bool(collector.stored))
            for done_ratio in (0.2, 0.3, 0.4):
                agent.uplink.report(replace(PROGRESS, done_ratio=done_ratio))
            await collector.until(lambda: bool(collector.progresses))
        assert [progress.done_ratio for progress in collector.progresses] == [0.4]

    asyncio.run(main())
