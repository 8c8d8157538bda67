"""Jobs through histories that nobody would think of: either end dies between any two steps, and messages are lost.

The queue, its store, the desk and its ledger are the real ones. The network is played, and so are runs.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from edgeprof.job import JobCommand, JobState
from edgeprof.messages import from_message, to_message
from edgeprof.run import RunFinished, RunState
from edgeprof.v1.uplink_pb2 import CollectorMessage
from edgeprof_agent.jobs import JobDesk
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.ledger import Ledger
from edgeprof_collector.jobs.messages import JobRequest
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.states import LEASE_SECONDS
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.store.samples import DEVICE, PLAN, SECOND_NS, WALL_NS, greeting

QUEUE_SECONDS = 3600.0
_WRITES = ("add_jobs", "replace_job")
_ROUNDS_TO_HEAL = 60


class DiedError(Exception):
    """The process has ended, here and now."""


class Life:
    """A process that dies at its ``last``-th write from now on, before it or after it; 0 for never."""

    def __init__(self) -> None:
        self.is_over = False
        self.last = 0
        self.after = False

    def write(self, do: Callable[[], Any]) -> Any:
        """Write something durable, unless the process dies of it."""
        self.last -= 1
        if self.is_over or (self.last == 0 and not self.after):
            self.is_over = True
            raise DiedError
        done = do()
        if self.last == 0:
            self.is_over = True
            raise DiedError
        return done


class MortalStore:
    """What a queue needs of a store, for one life."""

    def __init__(self, store: SqliteStore, life: Life) -> None:
        self.devices = store.devices
        self.access = store.access
        self.triggers = self
        self._triggers = store.triggers
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._triggers, name)
        if name not in _WRITES:
            return method
        return lambda *arguments: self._life.write(partial(method, *arguments))


class MortalLedger(Ledger):
    """A ledger for one life. What it has written for good is copied, for the day on which the power goes."""

    def __init__(self, database: Database, life: Life, written_for_good: Callable[[], None]) -> None:
        super().__init__(database)
        self._life = life
        self._written_for_good = written_for_good

    def _write(self, *, outlives_power: bool = False) -> None:
        self._life.write(partial(super()._write, outlives_power=outlives_power))
        if outlives_power:
            self._written_for_good()


class Agent:
    """An agent's process: its desk at work, and the run that it may be carrying out."""

    def __init__(self, folder: Path, saved: Path, executed: Callable[[str], None]) -> None:
        self.life = Life()
        self.database = Database(folder)
        self.ledger = MortalLedger(self.database, self.life, partial(_copy, folder, saved))
        self.run: asyncio.Future[RunState] | None = None
        self._executed = executed
        self.desk = JobDesk(
            self.ledger,
            check=lambda _: None,
            execute=self._execute,
            interrupted=lambda _: None,
            changed=lambda: None,
        )
        self.working = asyncio.ensure_future(self.desk.work())

    async def _execute(self, command: JobCommand, run_id: str) -> RunFinished:
        self._executed(command.job_id)
        assert self.run is None, "two runs at once"
        self.run = asyncio.get_running_loop().create_future()
        self.desk.run_started(run_id)
        try:
            state = await self.run
        except asyncio.CancelledError:
            state = RunState.CANCELLED
        finally:
            self.run = None
        return RunFinished(run_id=run_id, state=state, monotonic_ns=1)

    async def end(self) -> None:
        """As kill -9 ends it: nothing is written any more."""
        self.life.is_over = True
        self.working.cancel()
        await asyncio.gather(self.working, return_exceptions=True)
        self.database.close()


class JobHistories(RuleBasedStateMachine):
    """One device and its collector, from a person's requests to the end of all jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteStore(self.folder / "edgeprof.sqlite")
        self.store.admit([greeting()])
        self.now_ns = WALL_NS
        self.executions: Counter[str] = Counter()
        self.succeeded: set[str] = set()
        self.ends: dict[str, JobState] = {}
        self.asked: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.down: list[CollectorMessage] = []
        self.up: list[Any] = []
        self.connected = False
        self.agent: Agent | None = None
        self.start_collector()
        self.do(self.start_agent())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the loop, and let the desk do what follows from it."""

        async def done() -> Any:
            try:
                return await work
            except DiedError:
                return None
            finally:
                for _ in range(20):
                    await asyncio.sleep(0)

        result = self.loop.run_until_complete(done())
        if self.collector_life.is_over:
            self.start_collector()
        if self.agent and self.agent.life.is_over:
            self.loop.run_until_complete(self.agent.end())
            self.agent = None
            self.cut()
        return result

    def start_collector(self) -> None:
        self.collector_life = Life()
        store: Any = MortalStore(self.store, self.collector_life)
        self.queue = JobQueue(store, lambda: self.now_ns)
        self.cut()

    async def start_agent(self) -> None:
        if self.agent is None:
            self.agent = Agent(self.folder / "device", self.folder / "saved", self.note_execution)

    def note_execution(self, job_id: str) -> None:
        self.executions[job_id] += 1

    def cut(self) -> None:
        """The stream ends, with everything that was under way on it."""
        self.connected = False
        self.down.clear()
        self.up.clear()

    # What people do

    @rule(key=st.sampled_from("ab"))
    def ask(self, key: str) -> None:
        request = JobRequest(targets=("all",), plan=PLAN, idempotency_key=key, queue_seconds=QUEUE_SECONDS)
        jobs = self.do(self.queue.submit(request))
        if jobs is not None:
            (job,) = jobs
            assert self.asked.setdefault(key, job.job_id) == job.job_id, "asking again made another job"

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 5))
    def cancel(self, which: int) -> None:
        job_id = list(self.asked.values())[which % len(self.asked)]
        self.cancelled.add(job_id)
        self.do(self.queue.cancel(job_id))

    # What the network does

    @precondition(lambda self: not self.connected)
    @rule()
    def connect(self) -> None:
        """Connect anew, with an agent that was started anew if need be."""
        self.do(self.start_agent())
        if self.agent and not self.connected:
            self.connected = True
            self.do(self.queue.device_connected(DEVICE, self.agent.ledger.known(), self.down.append))

    @rule(down=st.booleans(), up=st.booleans())
    def exchange(self, down: bool, up: bool) -> None:
        """Let everything through, in one direction or both; and have something that is to be done."""
        if not self.store.triggers.open_jobs():
            self.ask(f"key {len(self.asked)}")
        self.connect()
        if down and self.down and self.agent:
            self.deliver_down(1000)
        if up and self.connected and self.agent:
            self.tell(1000)
            self.deliver_up(1000)

    @precondition(lambda self: self.connected)
    @rule(noticed=st.booleans())
    def disconnect(self, noticed: bool) -> None:
        self.cut()
        if noticed:  # else the collector takes the stream for open until another comes
            self.queue.device_disconnected(DEVICE)

    @precondition(lambda self: self.down and self.agent)
    @rule(count=st.integers(1, 4))
    def deliver_down(self, count: int) -> None:
        for message in self.down[:count]:
            if self.down:
                del self.down[0]
                self.do(self._hear(message))

    @precondition(lambda self: self.connected and self.agent)
    @rule(count=st.integers(1, 4))
    def tell(self, count: int) -> None:
        assert self.agent
        self.up += self.agent.ledger.untold()[:count]

    @precondition(lambda self: self.up)
    @rule(count=st.integers(1, 4))
    def deliver_up(self, count: int) -> None:
        for status in self.up[:count]:
            if self.up:
                del self.up[0]
                self.do(self.queue.status_reported(DEVICE, status))

    async def _hear(self, message: CollectorMessage) -> None:
        assert self.agent
        kind = message.WhichOneof("body")
        if kind == "job":
            self.agent.desk.accept(from_message(JobCommand, message.job))
        elif kind == "cancel":
            self.agent.desk.cancel(message.cancel.job_id)
        elif kind == "job_status_ack":
            status = self.agent.ledger.status(message.job_status_ack.job_id)
            if status and to_message(status).state == message.job_status_ack.state:
                self.agent.ledger.acknowledge(status)

    # What runs and clocks do

    @precondition(lambda self: self.agent and self.agent.run)
    @rule(state=st.sampled_from([RunState.SUCCEEDED, RunState.SUCCEEDED, RunState.FAILED]))
    def finish_run(self, state: RunState) -> None:
        assert self.agent
        assert self.agent.run
        assert self.agent.desk._current
        if state is RunState.SUCCEEDED:
            self.succeeded.add(self.agent.desk._current.job_id)
        self.agent.run.set_result(state)
        self.do(asyncio.sleep(0))

    @rule(seconds=st.sampled_from([1.0, 1.0, 1.0, QUEUE_SECONDS, LEASE_SECONDS + PLAN.limits.time_seconds]))
    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND_NS)
        self.do(self.queue._tend_open_jobs())

    # What goes wrong

    @rule(writes=st.integers(1, 3), after=st.booleans(), collector=st.booleans())
    def doom(self, writes: int, after: bool, collector: bool) -> None:
        """Let one of the two die at one of its next writes."""
        life = self.collector_life if collector or not self.agent else self.agent.life
        life.last, life.after = writes, after

    @rule()
    def kill_collector(self) -> None:
        self.start_collector()

    @precondition(lambda self: self.agent)
    @rule(power=st.booleans())
    def kill_agent(self, power: bool) -> None:
        assert self.agent
        self.loop.run_until_complete(self.agent.end())
        self.agent = None
        self.cut()
        if power:  # only what was written for good is on the disk
            shutil.rmtree(self.folder / "device")
            if (self.folder / "saved").exists():
                shutil.copytree(self.folder / "saved", self.folder / "device")

    # What must hold

    @invariant()
    def no_job_runs_twice(self) -> None:
        assert not [job_id for job_id, count in self.executions.items() if count > 1]

    @invariant()
    def an_end_is_an_end(self) -> None:
        for job in self.store.triggers.jobs(1000):
            if job.state.final:
                assert self.ends.setdefault(job.job_id, job.state) is job.state

    def teardown(self) -> None:
        try:
            self._heal()
            self._check()
        finally:
            if self.agent:
                self.loop.run_until_complete(self.agent.end())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.store.close()
            shutil.rmtree(self.folder)

    def _heal(self) -> None:
        """Let everything work from now on, and every run succeed, until all jobs have ended."""
        self.start_collector()
        for _ in range(_ROUNDS_TO_HEAL):
            self.collector_life.last = 0
            if self.agent:
                self.agent.life.last = 0
            self.connect()
            assert self.agent
            self.deliver_down(1000)
            self.tell(1000)
            self.deliver_up(1000)
            if self.agent.run:
                self.finish_run(RunState.SUCCEEDED)
            if not self.store.triggers.open_jobs() and not self.agent.run:
                return
        raise AssertionError(f"left hanging: {self.store.triggers.open_jobs()}")

    def _check(self) -> None:
        self.an_end_is_an_end()
        self.no_job_runs_twice()
        for job in self.store.triggers.jobs(1000):
            ran = self.executions[job.job_id]
            if job.state is JobState.SUCCEEDED:
                assert job.job_id in self.succeeded, "it has not succeeded"
            elif job.state is JobState.EXPIRED:
                assert not ran, "it did not wait, it ran"
            elif job.state is JobState.CANCELLED:
                assert job.job_id in self.cancelled, "nobody has cancelled it"
            elif job.state is JobState.FAILED:
                died_at_its_start = job.reason == "the agent ended during the run"
                assert ran or died_at_its_start, "it has not even begun"
            else:
                assert job.state is JobState.TIMED_OUT, f"nothing leads to {job.state}"
            states = [change.state for change in self.store.triggers.job_changes(job.job_id)]
            assert [state for state in states if state.final] in ([], [job.state])


def _copy(folder: Path, saved: Path) -> None:
    """Keep what is on the disk now."""
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(folder, saved)


@pytest.mark.prove(short=2, whole=50)
def test_job_histories(proof_seed: int) -> None:
    limits = settings(
        max_examples=30, stateful_step_count=50, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(seed(proof_seed)(JobHistories), settings=limits)
