"""Spool and store together, through histories that nobody would think of, against an oracle that keeps a list."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from edgeprof.telemetry import GapCause, Placement
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool
from edgeprof_collector.store.protocol import Admission, Arrival, Delivery, Greeting
from edgeprof_collector.store.sqlite import SqliteStore
from tests.agent.uplink.spooling import frame
from tests.collector.store.samples import DEVICE, WALL_NS, facts_message

ROOMY = Bounds(max_bytes=10**8, max_age_seconds=1e9)
TIGHT = Bounds(max_bytes=90_000, max_age_seconds=1e9)


@dataclass
class Disk:
    """An agent's disk, and the agent while it runs.

    Attributes:
        at_risk: tags that a kill may cost, since they were never written.
        waiting: tags that were given and not acknowledged.
    """

    folder: Path
    bounds: Bounds
    database: Database | None = None
    spool: Spool | None = None
    at_risk: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)

    def started(self) -> Spool:
        """The spool, opened if need be."""
        if self.spool is None:
            self.database = Database(self.folder)
            self.spool = Spool(self.database, self.bounds)
        return self.spool

    def end(self) -> None:
        """As kill -9 ends it."""
        if self.database:
            self.database.close()
        self.database = self.spool = None


class Histories(RuleBasedStateMachine):
    """One identity, one store, and one disk, of which there may come to be a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteStore(self.folder / "edgeprof.sqlite")
        self.disks = [Disk(self.folder / "disk", ROOMY)]
        self.given = 0
        self.may_be_lost: set[int] = set()
        self.may_be_twice: set[int] = set()
        self.past: list[Delivery] = []

    @initialize(bounds=st.sampled_from([ROOMY, ROOMY, TIGHT]))
    def begin(self, bounds: Bounds) -> None:
        self.disks[0].bounds = bounds

    @rule(at=st.integers(0, 1), count=st.integers(1, 12), padding=st.sampled_from([0, 3000]))
    def sample(self, at: int, count: int, padding: int) -> None:
        disk = self.disks[at % len(self.disks)]
        for _ in range(count):
            self.given += 1
            disk.started().append(frame(self.given, padding=padding), Priority.IDLE_TELEMETRY)
            disk.at_risk.add(self.given)
            disk.waiting.add(self.given)

    @rule(at=st.integers(0, 1))
    def write(self, at: int) -> None:
        disk = self.disks[at % len(self.disks)]
        assert disk.started().flush(force=True)
        disk.at_risk.clear()

    @rule(at=st.integers(0, 1))
    def kill(self, at: int) -> None:
        disk = self.disks[at % len(self.disks)]
        disk.end()
        self.may_be_lost |= disk.at_risk
        disk.at_risk.clear()

    @precondition(lambda self: len(self.disks) == 1)
    @rule()
    def copy_disk(self) -> None:
        (disk,) = self.disks
        self.write(0)
        self.kill(0)
        copy = Disk(self.folder / "copy", disk.bounds, waiting=set(disk.waiting))
        shutil.copytree(disk.folder, copy.folder)
        self.may_be_twice |= disk.waiting  # both have them, and neither can know of the other
        self.disks.append(copy)

    @rule(
        at=st.integers(0, 1),
        pages=st.integers(0, 5),
        size=st.integers(1, 9),
        heard=st.booleans(),
        twice=st.booleans(),
    )
    def stream(self, at: int, pages: int, size: int, heard: bool, twice: bool) -> None:
        disk = self.disks[at % len(self.disks)]
        spool = disk.started()
        cursor = self._connect(spool)
        for _ in range(pages):
            page = spool.read_after(cursor, size)
            if not page:
                break
            arrivals = [Arrival(one.sequence, one.SerializeToString(), one, WALL_NS, Placement.EXACT) for one in page]
            delivery = Delivery(DEVICE, spool.epoch, (), arrivals, WALL_NS, spool.lives.names[0])
            for _ in range(1 + twice):
                assert self.store.commit([delivery]) == (page[-1].sequence,)
            self.past.append(delivery)
            cursor = page[-1].sequence
            if heard:
                spool.acknowledge(cursor)

    @precondition(lambda self: self.past)
    @rule(which=st.integers(0, 1000))
    def late_delivery(self, which: int) -> None:
        """What was under way for long arrives once more."""
        self.store.commit([self.past[which % len(self.past)]])

    def teardown(self) -> None:
        try:
            for at in range(len(self.disks)):
                self.stream(at, 1000, 50, heard=True, twice=False)
            self._compare()
        finally:
            for disk in self.disks:
                disk.end()
            self.store.close()
            shutil.rmtree(self.folder)

    def _connect(self, spool: Spool) -> int:
        admission = self._greet(spool)
        if not spool.welcome(admission.stored_sequence, admission.new_epoch_required):
            admission = self._greet(spool)
            assert spool.welcome(admission.stored_sequence, admission.new_epoch_required), "its new epoch is refused"
        return admission.stored_sequence

    def _greet(self, spool: Spool) -> Admission:
        greeting = Greeting(
            facts_message(), spool.epoch, spool.oldest_sequence, spool.vouched_sequence, WALL_NS, spool.lives.names
        )
        (admission,) = self.store.admit([greeting])
        return admission

    def _compare(self) -> None:
        with self.store._database.reading() as connection:
            times = Counter(tag for (tag,) in connection.execute("SELECT start_monotonic_ns FROM frames"))
        twice = {tag for tag, count in times.items() if count > 1}
        assert twice <= self.may_be_twice, f"counted twice: {sorted(twice - self.may_be_twice)}"
        gaps = self.store.gaps(DEVICE)
        assert {gap.cause for gap in gaps} <= ({GapCause.SPOOL_FULL} if self.disks[0].bounds is TIGHT else set())
        dropped = sum(gap.last_sequence - gap.first_sequence + 1 for gap in gaps)
        missing = set(range(1, self.given + 1)) - set(times) - self.may_be_lost
        assert len(missing) <= dropped, f"gone without a gap: {sorted(missing)}"
        assert max(times, default=0) <= self.given


@pytest.mark.prove(short=2, whole=50)
def test_histories(proof_seed: int) -> None:
    limits = settings(
        max_examples=60, stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(seed(proof_seed)(Histories), settings=limits)
