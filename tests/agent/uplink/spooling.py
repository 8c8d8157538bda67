"""What the tests of the spool share."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeprof.v1.run_pb2 import Phase, RunEvent
from edgeprof.v1.telemetry_pb2 import Frame
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool

ROOMY = Bounds(max_bytes=64 * 1024 * 1024, max_age_seconds=1e9)


@contextmanager
def opened(folder: Path, bounds: Bounds = ROOMY) -> Iterator[Spool]:
    """A spool that is left as a stopped agent leaves it."""
    database = Database(folder)
    try:
        spool = Spool(database, bounds)
        yield spool
        spool.flush(force=True)
    finally:
        database.close()


@contextmanager
def crashed(folder: Path, bounds: Bounds = ROOMY) -> Iterator[Spool]:
    """A spool that is left as a killed agent leaves it: what was not flushed is lost."""
    database = Database(folder)
    try:
        yield Spool(database, bounds)
    finally:
        database.close()


def frame(tag: int, *, run_id: str = "", padding: int = 0) -> AgentMessage:
    """A frame that can be told from others by its start."""
    return AgentMessage(frame=Frame(start_monotonic_ns=tag, run_id=run_id, boot_id=bytes(padding)))


def event(tag: int) -> AgentMessage:
    """An event of a run that can be told from others by its start."""
    return AgentMessage(run_event=RunEvent(phase=Phase(run_id="run", start_monotonic_ns=tag)))


def append_frames(spool: Spool, tags: Sequence[int], padding: int = 0) -> None:
    """Add idle frames with these tags."""
    for tag in tags:
        spool.append(frame(tag, padding=padding), Priority.IDLE_TELEMETRY)


def everything(spool: Spool) -> list[AgentMessage]:
    """All that waits, read in small pages."""
    messages: list[AgentMessage] = []
    sequence = 0
    while page := spool.read_after(sequence, 7):
        messages += page
        sequence = page[-1].sequence
    return messages


def tag_of(message: AgentMessage) -> int | None:
    """The tag of a frame or event; ``None`` for a gap."""
    if message.HasField("gap"):
        return None
    return (message.frame if message.HasField("frame") else message.run_event.phase).start_monotonic_ns


def tags(messages: Sequence[AgentMessage]) -> list[int]:
    """The tags of all but gaps."""
    return [tag for message in messages if (tag := tag_of(message)) is not None]


def sequences(messages: Sequence[AgentMessage]) -> list[int]:
    """Every sequence that the messages account for, those within gaps too."""
    covered: list[int] = []
    for message in messages:
        first = message.gap.first_sequence if message.HasField("gap") else message.sequence
        covered += range(first, message.sequence + 1)
    return covered


def overwrite_middle(file: Path) -> None:
    """Damage everything but the first page."""
    size = file.stat().st_size
    with file.open("r+b") as content:
        content.seek(4096)
        content.write(os.urandom(size - 4096))


def fill(disk: Path) -> None:
    """Leave no space on a disk."""
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
