"""A message as the spool keeps it, and the gap that takes its place when it must go."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from edgeprof.v1.telemetry_pb2 import Gap, GapCause
from edgeprof.v1.uplink_pb2 import AgentMessage


class Priority(IntEnum):
    """What is dropped first when there is no room: the lowest. Gaps are never dropped, they only merge."""

    IDLE_TELEMETRY = 0
    RUN_TELEMETRY = 1
    RUN_EVENT = 2
    GAP = 3


DROPPABLE = (Priority.IDLE_TELEMETRY, Priority.RUN_TELEMETRY, Priority.RUN_EVENT)


class Row(NamedTuple):
    """A message, serialised without its sequence; or, with ``gap_first``, a gap that ends at ``position``."""

    position: int
    priority: int
    spooled_seconds: int
    body: bytes | None
    gap_first: int | None = None
    gap_cause: "GapCause | None" = None

    @property
    def first(self) -> int:
        """The first position that the row stands for."""
        return self.position if self.gap_first is None else self.gap_first

    def message(self, epoch_start: int) -> AgentMessage:
        """The message to send, in an epoch whose sequence 0 is the position ``epoch_start``."""
        if self.body is None:
            gap = Gap(
                first_sequence=max(self.first - epoch_start, 1),  # the rest was stored in the epoch before
                last_sequence=self.position - epoch_start,
                cause=self.gap_cause,
            )
            return AgentMessage(sequence=self.position - epoch_start, gap=gap)
        message = AgentMessage.FromString(self.body)
        message.sequence = self.position - epoch_start
        return message


def gap_row(first: int, last: int, cause: "GapCause", spooled_seconds: int) -> Row:
    """The row that stands for the positions ``first`` to ``last``."""
    return Row(last, Priority.GAP, spooled_seconds, None, first, cause)


def merged(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows with neighbouring gaps of one cause made one."""
    held: Row | None = None
    for row in rows:
        if held and held.gap_cause is not None and held.gap_cause == row.gap_cause:
            held = row._replace(gap_first=held.gap_first)
            continue
        if held:
            yield held
        held = row
    if held:
        yield held
