"""What every store does, whatever keeps the bytes.

The methods block and may be called from any thread; an event loop calls them in a thread. Reading never waits
for writing. Several collectors may share one store: cursors and jobs change by compare-and-set alone.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from edgeprof.run import RunRecord
from edgeprof.telemetry import Gap, Placement
from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof.v1.telemetry_pb2 import Layout, RunTelemetry
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.store.access import Access
from edgeprof_collector.store.outgoing import Outgoing
from edgeprof_collector.store.records import DeviceRecord, RunSummary
from edgeprof_collector.store.retention import Retention, Retired
from edgeprof_collector.store.triggers import Triggers


class Greeting(NamedTuple):
    """What a device says of itself and its spool when it connects.

    ``oldest_sequence`` is 0 when the spool is empty; ``newest_sequence`` is then the last one ever given. ``lives``
    are the agent's process and those before it that have used the spool, the latest first.
    """

    facts: DeviceFacts
    epoch: bytes
    oldest_sequence: int
    newest_sequence: int
    wall_ns: int
    lives: tuple[bytes, ...] = (b"",)


class Admission(NamedTuple):
    """Where a device goes on.

    ``lost`` are messages that the device no longer has and the store never got; they are recorded.
    ``new_epoch_required``: the spool is behind its own cursor, so its next sequences would pass for duplicates.
    ``superseded``: another agent has gone on with the epoch after ``stored_sequence``, as when a disk was copied; what
    this one gave under later sequences is not stored. ``former``: the facts of the device's latest hello before this
    one, if it came with another epoch.
    """

    stored_sequence: int
    new_epoch_required: bool = False
    lost: Gap | None = None
    superseded: bool = False
    former: DeviceFacts | None = None


class Arrival(NamedTuple):
    """A spooled message as it came.

    ``payload`` are the bytes that ``message`` was parsed from; they are what is kept. ``wall_ns`` is when its
    content began, by the collector's clock, and ``placement`` how that is known. ``fault`` says why its content cannot
    be read; empty when it can.
    """

    sequence: int
    payload: bytes
    message: AgentMessage
    wall_ns: int
    placement: Placement
    fault: str = ""

    @property
    def first_sequence(self) -> int:
        """The first sequence that it stands for: its own, or that of the first message in a gap."""
        if self.message.HasField("gap"):
            return self.message.gap.first_sequence
        return self.sequence


class Delivery(NamedTuple):
    """What one stream of a device has delivered: its arrivals in sequence, and the layouts they may need."""

    device_id: str
    epoch: bytes
    layouts: Sequence[Layout]
    arrivals: Sequence[Arrival]
    wall_ns: int
    life: bytes = b""


class Store(Protocol):
    """Devices, runs, telemetry and jobs.

    Raises:
        StoreError: from every method, when the store cannot be read or written.
    """

    @property
    def outgoing(self) -> Outgoing:
        """What goes on to other databases."""
        ...

    @property
    def triggers(self) -> Triggers:
        """Jobs and schedules."""
        ...

    @property
    def access(self) -> Access:
        """Tokens, devices' certificates, and who did what."""
        ...

    def admit(self, greetings: Sequence[Greeting]) -> tuple[Admission, ...]:
        """Note that devices have connected, in one transaction, and say where each goes on.

        A spool epoch seen for the first time starts at 0. When the cursor is behind the spool's oldest message,
        the messages between are recorded as lost and the cursor moves past them. From here on the epoch belongs to
        the life that was greeted. One that does not descend from the epoch's owner must open a new one.
        """
        ...

    def describe(self, facts: DeviceFacts) -> None:
        """Keep the facts of a device that has changed since it connected; one that never did is left out."""
        ...

    def commit(self, deliveries: Sequence[Delivery]) -> tuple[int, ...]:
        """Keep what the devices delivered, in one durable transaction; return each one's cursor after it.

        An arrival at or before the cursor is a duplicate and left out. A delivery whose first new arrival does
        not follow its cursor is left out whole, and so is one of a life that the epoch no longer belongs to, or of an
        epoch that was never admitted (cursor 0).
        An arrival that holds a gap is followed by the message after the gap's last.
        """
        ...

    def adopt(self, records: Sequence[RunRecord]) -> None:
        """Keep finished runs that no device has streamed, all in one durable transaction or none.

        Raises:
            EdgeprofError: a run is stored already, or its device runs an agent.
        """
        ...

    def devices(self) -> tuple[DeviceRecord, ...]:
        """Every device that ever connected, by name."""
        ...

    def gaps(self, device_id: str) -> tuple[Gap, ...]:
        """What the device lost, in the order in which it was learned."""
        ...

    def runs(self) -> tuple[RunSummary, ...]:
        """Every run whose start is known, the latest first."""
        ...

    def run(self, run_id: str) -> RunRecord:
        """One run with all its events that can be read.

        Raises:
            NotFoundError: no run of this name has started.
        """
        ...

    def telemetry(self, run_id: str) -> RunTelemetry:
        """All frames of a run that can be read, in the order of time, with layouts numbered anew from 1.

        Raises:
            NotFoundError: no run of this name has started.
        """
        ...

    def set_baseline(self, run_id: str, *, is_baseline: bool) -> None:
        """Keep a run for others to be compared with, however old it grows; or no longer.

        Raises:
            NotFoundError: no run of this name has started.
        """
        ...

    def retire(self, retention: Retention, now_wall_ns: int, destinations: Sequence[str] = ()) -> Retired:
        """Thin or give up a little of what is too old or too much, in one short transaction; nothing if nothing is due.

        What the ``destinations`` of remote write have not had waits for them, within the bounds of ``retention``.
        """
        ...

    def close(self) -> None:
        """Let go of the files. Nothing else may be called after it."""
        ...
