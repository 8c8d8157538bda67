"""The job desk: one run at a time, each job once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand, JobState, JobStatus
from edgeprof.plan import Plan, Step, StepKind
from edgeprof.run import RunFinished, RunState
from edgeprof_agent.jobs import JobDesk
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.ledger import Ledger

COMMAND = JobCommand(
    job_id="job-1", version=7, plan=Plan(name="tiny", steps=(Step(kind=StepKind.PREFILL, prompt_tokens=8),))
)


class Runs:
    """Stands where a run would be carried out: each waits until it is told how it ends."""

    def __init__(self) -> None:
        self.commands: list[JobCommand] = []
        self.run_ids: list[str] = []
        self.desk: JobDesk
        self.started = asyncio.Condition()
        self.end: asyncio.Future[RunFinished] = asyncio.get_running_loop().create_future()
        self.begin_run = True

    async def execute(self, command: JobCommand, run_id: str) -> RunFinished:
        self.commands.append(command)
        self.run_ids.append(run_id)
        if self.begin_run:
            self.desk.run_started(run_id)
        async with self.started:
            self.started.notify_all()
        try:
            return await self.end
        except asyncio.CancelledError:
            if not self.begin_run:
                raise
            return RunFinished(run_id=run_id, state=RunState.CANCELLED, monotonic_ns=1)
        finally:
            self.end = asyncio.get_running_loop().create_future()

    def finish(self, state: RunState = RunState.SUCCEEDED, cause: str = "") -> None:
        self.end.set_result(RunFinished(run_id=self.run_ids[-1], state=state, monotonic_ns=1, cause=cause))

    async def until_started(self, count: int) -> None:
        async with self.started:
            await asyncio.wait_for(self.started.wait_for(lambda: len(self.commands) >= count), 30)


class Desk:
    """A desk at work, its ledger, and its runs."""

    def __init__(
        self,
        database: Database,
        check: Callable[[JobCommand], None],
        clock: Callable[[], float],
        run_seconds: float | None = None,
    ) -> None:
        self.runs = Runs()
        self.ledger = Ledger(database)
        self.changes = asyncio.Event()
        self.interrupted: list[RunFinished] = []
        self.desk = self.runs.desk = JobDesk(
            self.ledger,
            check=check,
            execute=self.runs.execute,
            interrupted=self.interrupted.append,
            changed=self.changes.set,
            run_seconds=run_seconds,
            clock=clock,
        )
        self.working = asyncio.ensure_future(self.desk.work())

    async def until(self, job_id: str, state: JobState) -> JobStatus:
        while True:
            status = self.ledger.status(job_id)
            if status and status.state is state:
                return status
            self.changes.clear()
            await asyncio.wait_for(self.changes.wait(), 30)


@contextlib.asynccontextmanager
async def desk_at_work(
    folder: Path,
    check: Callable[[JobCommand], None] = lambda _: None,
    clock: Callable[[], float] = lambda: 0.0,
    run_seconds: float | None = None,
) -> AsyncIterator[Desk]:
    database = Database(folder)
    desk = Desk(database, check, clock, run_seconds)
    try:
        yield desk
    finally:
        desk.working.cancel()
        await asyncio.wait({desk.working})
        database.close()


def test_a_job_is_run_and_its_states_are_recorded(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            running = await at.until("job-1", JobState.RUNNING)
            at.runs.finish()
            done = await at.until("job-1", JobState.SUCCEEDED)
            assert running.run_id == done.run_id == at.runs.run_ids[0]
            assert done.version == 7
            assert at.runs.commands == [COMMAND]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("state", "expected"), [(RunState.FAILED, JobState.FAILED), (RunState.CANCELLED, JobState.CANCELLED)]
)
def test_how_a_run_ends_is_how_its_job_ends(tmp_path: Path, state: RunState, expected: JobState) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            at.runs.finish(state, "the engine was killed")
            assert (await at.until("job-1", expected)).reason == "the engine was killed"

    asyncio.run(main())


def test_a_job_that_was_refused_before_its_run_began_has_no_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.runs.begin_run = False
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            at.runs.end.set_exception(EdgeprofError("no file is called model.gguf"))
            status = await at.until("job-1", JobState.FAILED)
            assert status.reason == "no file is called model.gguf"
            assert status.run_id == ""

    asyncio.run(main())


def test_a_fault_of_edgeprof_itself_ends_the_job_and_not_the_agent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            at.runs.end.set_exception(ZeroDivisionError("a bug"))
            status = await at.until("job-1", JobState.FAILED)
            assert status.reason == "edgeprof itself failed: ZeroDivisionError: a bug"
            at.desk.accept(replace(COMMAND, job_id="job-2"))
            await at.runs.until_started(2)

    asyncio.run(main())
    assert "ZeroDivisionError" in caplog.text


def test_jobs_run_one_after_another_in_the_order_of_their_arrival(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            for number in range(1, 4):
                at.desk.accept(replace(COMMAND, job_id=f"job-{number}"))
            for number in range(1, 4):
                await at.runs.until_started(number)
                assert len(at.runs.commands) == number
                at.runs.finish()
            await at.until("job-3", JobState.SUCCEEDED)
            assert [command.job_id for command in at.runs.commands] == ["job-1", "job-2", "job-3"]

    asyncio.run(main())


def test_a_full_queue_rejects_with_the_name_of_the_job_in_the_way(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            for number in range(2, 11):
                at.desk.accept(replace(COMMAND, job_id=f"job-{number}"))
            waiting, rejected = at.ledger.status("job-9"), at.ledger.status("job-10")
            assert waiting
            assert (waiting.state, waiting.reason) == (JobState.SENT, "waits for job job-1")
            assert rejected
            assert rejected.state is JobState.REJECTED
            assert "busy with job job-1, and 8 more wait" in rejected.reason

    asyncio.run(main())


def test_a_job_that_comes_again_is_told_again_and_not_run_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            at.desk.accept(COMMAND)
            at.runs.finish()
            done = await at.until("job-1", JobState.SUCCEEDED)
            at.ledger.acknowledge(done)
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            assert at.ledger.untold() == (done,)
            at.desk.accept(replace(COMMAND, job_id="job-2"))
            await at.runs.until_started(1)
            assert at.runs.commands[0].job_id == "job-2"

    asyncio.run(main())


def test_a_job_that_is_not_allowed_is_rejected_with_the_reason(tmp_path: Path) -> None:
    def check(_command: JobCommand) -> None:
        raise EdgeprofError("this device does not allow it")

    async def main() -> None:
        async with desk_at_work(tmp_path, check) as at:
            at.desk.accept(COMMAND)
            status = at.ledger.status("job-1")
            assert status
            assert (status.state, status.reason) == (JobState.REJECTED, "this device does not allow it")

    asyncio.run(main())


def test_running_and_waiting_jobs_can_be_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            at.desk.accept(replace(COMMAND, job_id="job-2"))
            at.desk.cancel("job-2")
            at.desk.cancel("job-1")
            at.desk.cancel("unheard of")
            cancelled = await at.until("job-1", JobState.CANCELLED)
            assert cancelled.run_id == at.runs.run_ids[0]
            assert (await at.until("job-2", JobState.CANCELLED)).reason == "cancelled before it began"
            assert len(at.runs.commands) == 1

            at.runs.begin_run = False
            at.desk.accept(replace(COMMAND, job_id="job-3"))
            await at.runs.until_started(2)
            at.desk.cancel("job-3")
            assert (await at.until("job-3", JobState.CANCELLED)).run_id == ""

    asyncio.run(main())


def test_a_job_whose_turn_comes_too_late_expires(tmp_path: Path) -> None:
    now = 0.0

    async def main() -> None:
        nonlocal now
        async with desk_at_work(tmp_path, clock=lambda: now) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            at.desk.accept(replace(COMMAND, job_id="job-2", start_within_seconds=60.0))
            now = 61.0
            at.runs.finish()
            await at.until("job-2", JobState.EXPIRED)
            assert len(at.runs.commands) == 1

    asyncio.run(main())


def test_a_stop_cancels_the_run_and_keeps_that(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
        async with desk_at_work(tmp_path) as at:
            status = at.ledger.status("job-1")
            assert status
            assert status.state is JobState.CANCELLED

    asyncio.run(main())


def test_after_a_crash_the_run_has_failed_and_what_waited_may_come_again(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path)
        ledger = Ledger(database)
        ledger.record(JobStatus(job_id="job-1", version=1, state=JobState.RUNNING, run_id="run-1"))
        ledger.record(JobStatus(job_id="job-2", version=1, state=JobState.SENT))
        ledger.record(JobStatus(job_id="job-3", version=1, state=JobState.RUNNING))  # its run had not begun yet
        database.close()
        async with desk_at_work(tmp_path) as at:
            status = at.ledger.status("job-1")
            assert status
            assert (status.state, status.reason, status.run_id) == (
                JobState.FAILED,
                "the agent ended during the run",
                "run-1",
            )
            (run,) = at.interrupted
            assert (run.run_id, run.state, run.cause) == ("run-1", RunState.FAILED, "the agent ended during the run")
            assert run.monotonic_ns is None
            at.desk.accept(replace(COMMAND, job_id="job-2"))
            await at.runs.until_started(1)
        async with desk_at_work(tmp_path) as at:
            assert not at.interrupted

    asyncio.run(main())


@pytest.mark.parametrize("begin_run", [True, False])
def test_a_run_ends_when_the_device_allows_it_no_longer(tmp_path: Path, begin_run: bool) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path, run_seconds=0.05) as at:
            at.runs.begin_run = begin_run
            at.desk.accept(COMMAND)
            status = await at.until("job-1", JobState.TIMED_OUT)
            assert status.reason == "0.05 s are a run's most on this device (policy.run_seconds)"
            assert bool(status.run_id) == begin_run
            at.desk.accept(replace(COMMAND, job_id="job-2"))
            await at.runs.until_started(2)

    asyncio.run(main())


def test_what_the_device_allows_is_asked_again_when_a_jobs_turn_has_come(tmp_path: Path) -> None:
    unplugged = False

    def check(_: JobCommand) -> None:
        if unplugged:
            raise EdgeprofError("this device is on battery")

    async def main() -> None:
        nonlocal unplugged
        async with desk_at_work(tmp_path, check) as at:
            at.desk.accept(COMMAND)
            await at.runs.until_started(1)
            at.desk.accept(replace(COMMAND, job_id="job-2"))
            unplugged = True
            at.runs.finish()
            assert (await at.until("job-2", JobState.REJECTED)).reason == "this device is on battery"
            assert len(at.runs.commands) == 1

    asyncio.run(main())


def test_a_job_whose_start_cannot_be_written_does_not_begin(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk_at_work(tmp_path) as at:
            connection = at.ledger._database._connection
            connection.execute("PRAGMA query_only = ON")
            at.desk.accept(COMMAND)
            status = await at.until("job-1", JobState.FAILED)
            assert status.reason.startswith("the start of the job cannot be written: ")
            assert not at.runs.commands
            connection.execute("PRAGMA query_only = OFF")
            at.desk.accept(replace(COMMAND, job_id="job-2"))
            await at.runs.until_started(1)

    asyncio.run(main())
