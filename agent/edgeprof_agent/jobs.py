"""The jobs of this device: one at a time, each once, with a short queue."""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand, JobState, JobStatus
from edgeprof.run import RunFinished, RunState
from edgeprof_agent.uplink.ledger import Ledger, NotRecordedError

_log = logging.getLogger(__name__)

_QUEUE_LENGTH = 8
_INTERRUPTED = "the agent ended during the run"

_JOB_STATES = {
    RunState.SUCCEEDED: JobState.SUCCEEDED,
    RunState.FAILED: JobState.FAILED,
    RunState.CANCELLED: JobState.CANCELLED,
}

Execute = Callable[[JobCommand, str], Coroutine[None, None, RunFinished]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: JobCommand
    start_before_seconds: float


class JobDesk:
    """Takes jobs, runs them in turn, and keeps their statuses in the ledger.

    Args:
        ledger: where statuses are kept until the collector has them.
        check: raises `EdgeprofError` for a job that this device does not allow, or not now. Asked when a job comes, and
            again when its turn has come.
        execute: carries a job out under a run's identity.
        interrupted: told, at the start, of each run that was under way when the agent last ended.
        changed: called when a status has changed.
        run_seconds: when a job ends that has not ended by itself; ``None`` for never.
        clock: monotonic seconds.
        wall_clock: seconds since 1970.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        check: Callable[[JobCommand], None],
        execute: Execute,
        interrupted: Callable[[RunFinished], None],
        changed: Callable[[], None],
        run_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._check = check
        self._execute = execute
        self._changed = changed
        self._run_seconds = run_seconds
        self._clock = clock
        self._wall_clock = wall_clock
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._current: JobCommand | None = None
        self._run: asyncio.Task[RunFinished] | None = None
        self._run_id = ""
        self._close_what_was_interrupted(interrupted)

    def accept(self, command: JobCommand) -> None:
        """Queue a job, or reject it. One that is known already is not run again: its status is told again."""
        if self._ledger.status(command.job_id):
            self._ledger.tell_again(command.job_id)
            self._changed()
            return
        try:
            self._check(command)
        except EdgeprofError as error:
            self._record(command, JobState.REJECTED, str(error))
            return
        if self._current and len(self._queue) >= _QUEUE_LENGTH:
            waiting = f"busy with job {self._current.job_id}, and {len(self._queue)} more wait"
            self._record(command, JobState.REJECTED, f"the device is {waiting}: send it later")
            return
        self._queue.append(_Waiting(command, self._clock() + command.start_within_seconds))
        self._record(command, JobState.SENT, f"waits for job {self._current.job_id}" if self._current else "")
        self._arrived.set()

    def cancel(self, job_id: str) -> None:
        """Give a job up, whether it runs or waits."""
        if self._current and self._current.job_id == job_id and self._run:
            self._run.cancel()
            return
        for waiting in self._queue:
            if waiting.command.job_id == job_id:
                self._queue.remove(waiting)
                self._record(waiting.command, JobState.CANCELLED, "cancelled before it began")
                return
        if self._ledger.status(job_id):
            self._ledger.tell_again(job_id)
            self._changed()

    def run_started(self, run_id: str) -> None:
        """The current job's preparation is over: there is a run now, under this identity."""
        if self._current:
            self._run_id = run_id
            self._record(self._current, JobState.RUNNING)
            _log.info("job %s: run %s", self._current.job_id, run_id)

    async def work(self) -> None:
        """Run jobs as they come, until cancelled; a run that is under way then is cancelled and ends first."""
        while True:
            while self._queue:
                await self._work_on(self._queue.popleft())
            self._arrived.clear()
            await self._arrived.wait()

    async def _work_on(self, waiting: _Waiting) -> None:
        command = waiting.command
        if self._clock() > waiting.start_before_seconds:
            self._record(command, JobState.EXPIRED, "its turn came too late")
            return
        try:
            self._check(command)
        except EdgeprofError as error:
            self._record(command, JobState.REJECTED, str(error))
            return
        self._current = command
        try:
            if self._begin(command):
                self._run = asyncio.ensure_future(self._execute(command, _new_run_id()))
                await self._until_its_end(command, self._run)
        finally:
            self._current, self._run, self._run_id = None, None, ""

    def _begin(self, command: JobCommand) -> bool:
        """Have it on the disk that the job begins; one that could begin twice does not begin at all."""
        running = JobStatus(job_id=command.job_id, version=command.version, state=JobState.RUNNING)
        try:
            self._ledger.begin(running, self._wall_clock())
        except NotRecordedError as error:
            self._record(command, JobState.FAILED, str(error))
            return False
        self._changed()
        return True

    async def _until_its_end(self, command: JobCommand, run: "asyncio.Task[RunFinished]") -> None:
        timed_out = False
        try:
            await asyncio.wait({run}, timeout=self._run_seconds)
            timed_out = not run.done()
            if timed_out:
                run.cancel()
                await asyncio.wait({run})
        except asyncio.CancelledError:
            run.cancel()
            await asyncio.wait({run})
            raise
        finally:
            if timed_out:
                rule = f"{self._run_seconds:g} s are a run's most on this device (policy.run_seconds)"
                self._record(command, JobState.TIMED_OUT, rule)
            else:
                self._record_end(command, run)

    def _record_end(self, command: JobCommand, run: "asyncio.Task[RunFinished]") -> None:
        if run.cancelled():
            self._record(command, JobState.CANCELLED, "cancelled before the run began")
            return
        error = run.exception()
        if error is None:
            finished = run.result()
            self._record(command, _JOB_STATES[finished.state], finished.cause)
        elif isinstance(error, EdgeprofError):
            self._record(command, JobState.FAILED, str(error))
        else:
            _log.error("job %s: edgeprof itself failed", command.job_id, exc_info=error)
            self._record(command, JobState.FAILED, f"edgeprof itself failed: {type(error).__name__}: {error}")

    def _record(self, command: JobCommand, state: JobState, reason: str = "") -> None:
        run_id = self._run_id if command is self._current else ""
        if state.final:
            _log.info("job %s: %s%s", command.job_id, state.value, f" ({reason})" if reason else "")
        self._ledger.record(
            JobStatus(job_id=command.job_id, version=command.version, state=state, reason=reason, run_id=run_id)
        )
        self._changed()

    def _close_what_was_interrupted(self, interrupted: Callable[[RunFinished], None]) -> None:
        """What ran when the agent last ended has failed; what waited is forgotten, so that it is sent again."""
        for status in self._ledger.known():
            if status.state is JobState.SENT:
                self._ledger.forget(status.job_id)
            elif not status.state.final:
                if status.run_id:
                    interrupted(_interrupted_run(status.run_id))
                self._ledger.record(replace(status, state=JobState.FAILED, reason=_INTERRUPTED))


def _interrupted_run(run_id: str) -> RunFinished:
    return RunFinished(run_id=run_id, state=RunState.FAILED, cause=_INTERRUPTED, monotonic_ns=None)


def _new_run_id() -> str:
    """An identity that sorts by time where the clock is right, and is one of a kind where it is not."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(4).hex()}"
