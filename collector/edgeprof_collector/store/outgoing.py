"""What goes on from the store to other databases, and how far each of these destinations has got."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof_collector.store.records import RunSummary


class StoredLayout(NamedTuple):
    """A set of channels, whichever devices and spools use it: equal ids mean equal channels."""

    layout_id: int
    layout: Layout


class StoredFrame(NamedTuple):
    """A frame in its place among all frames of the store.

    ``start_wall_ns`` is when it began, by the collector's clock, fixed when it was stored. ``layouts`` has those of its
    blocks, by the blocks' numbers.
    """

    position: int
    device_id: str
    start_wall_ns: int
    frame: Frame
    layouts: Mapping[int, StoredLayout]


class RunEnd(NamedTuple):
    """A run that has ended, in its place among all ends of runs, and when that was by the collector's clock."""

    position: int
    run: RunSummary
    wall_ns: int


class Cursor(NamedTuple):
    """The last frame and the last end of a run that a destination has taken or refused."""

    frame: int
    run_end: int


class WriteKind(str, Enum):
    """What was written to a destination."""

    FRAME = "frame"
    RUN_END = "run_end"
    SERIES_END = "series_end"


class RefusedWrite(NamedTuple):
    """What a destination would not have: the position of the frame or end of a run, the answer and its reason."""

    destination: str
    kind: WriteKind
    position: int
    samples: int
    status: int
    reason: str
    refused_wall_ns: int


class Outgoing(Protocol):
    """Frames and ends of runs in the order in which they were stored, and a durable cursor for each destination.

    Raises:
        StoreError: from every method, when the store cannot be read or written.
    """

    def cursor(self, destination: str, *, send_stored: bool) -> Cursor:
        """Where a destination goes on. One that is new begins with what is stored next, or with all that is stored."""
        ...

    def move_cursor(self, destination: str, cursor: Cursor) -> None:
        """Note how far a destination has got. A cursor never moves back."""
        ...

    def frames_after(self, position: int, most_bytes: int) -> Sequence[StoredFrame]:
        """The next frames that can be read: at least one if there is one, then as many as fit in ``most_bytes``."""
        ...

    def run_ends_after(self, position: int, most: int) -> Sequence[RunEnd]:
        """The next ends of runs."""
        ...

    def last_frames(self, destination: str, device_id: str, most: int) -> Sequence[StoredFrame]:
        """The device's last frames, the newest first, of those since its series were ended at ``destination``."""
        ...

    def end_series(self, destination: str, device_id: str, position: int) -> None:
        """Note that the series of a device were ended at a destination, after the frame at ``position``."""
        ...

    def set_aside(self, refused: RefusedWrite) -> None:
        """Keep a record of what a destination would not have. The last 200 of each are kept."""
        ...

    def refused_writes(self, destination: str) -> tuple[RefusedWrite, ...]:
        """What a destination would not have, the oldest first."""
        ...
