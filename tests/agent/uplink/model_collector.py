"""A collector reduced to what exactly-once rests on: one cursor per epoch, moved with the data."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_agent.uplink.spool import Spool
from tests.agent.uplink.spooling import tag_of


@dataclass
class ModelCollector:
    """Stores the tags of messages whose sequence is beyond the cursor of their epoch."""

    cursors: dict[bytes, int] = field(default_factory=dict)
    stored: list[int] = field(default_factory=list)
    lost: int = 0

    def welcome(self, spool: Spool) -> bool:
        """Answer the spool's hello; whether its epoch goes on."""
        cursor = self.cursors.setdefault(spool.epoch, 0)
        return spool.welcome(cursor, cursor > spool.vouched_sequence)

    def receive(self, epoch: bytes, messages: Sequence[AgentMessage]) -> None:
        """Store what is new, and demand that nothing is left out."""
        for message in messages:
            cursor = self.cursors[epoch]
            if message.sequence <= cursor:
                continue
            first = message.gap.first_sequence if message.HasField("gap") else message.sequence
            assert first <= cursor + 1, f"{cursor + 1} to {first - 1} are missing"
            self.cursors[epoch] = message.sequence
            if (tag := tag_of(message)) is None:
                self.lost += message.sequence - cursor
            else:
                self.stored.append(tag)

    def connect_and_take(self, spool: Spool, *, acknowledge: bool = True) -> None:
        """A stream from hello to the last message that waits."""
        if not self.welcome(spool):
            assert self.welcome(spool), "the new epoch is accepted"
        sent = self.cursors[spool.epoch]
        while page := spool.read_after(sent, 5):
            self.receive(spool.epoch, page)
            sent = page[-1].sequence
            if acknowledge:
                spool.acknowledge(sent)
