"""Stored frames as series of the remote-write protocol."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from edgeprof.telemetry import MalformedFrameError, decode_block
from edgeprof.v1.telemetry_pb2 import Block, Layout
from edgeprof_collector.exposition.names import Labels, series_labels
from edgeprof_collector.remote_write.samples import Ticks, serialised, ticks_of
from edgeprof_collector.remote_write.write_request_pb2 import Label, Sample, TimeSeries
from edgeprof_collector.store.outgoing import StoredFrame, StoredLayout

_NS_PER_MS = 1_000_000

# A value that says that a series has ended: https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers
(STALE,) = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))

# Serialised labels that are kept: about 20 MB. A fleet of more channels has them made again.
_MOST_CHANNELS = 100_000


class Piece(NamedTuple):
    """Samples of one series, as a serialised ``TimeSeries``, and what they came from: a frame or the end of a run."""

    position: int
    series: bytes
    sample_count: int


class SeriesWriter:
    """Turns frames into pieces for one destination.

    Args:
        labels: added to every series; a label that a series has of its own stays.
        most_samples: how many samples a piece holds at most.
    """

    def __init__(self, labels: Mapping[str, str], most_samples: int) -> None:
        self._unreadable_blocks = 0
        self._labels = labels
        self._most_samples = most_samples
        self._known: dict[tuple[str, int], Sequence[bytes | None]] = {}
        self._known_channels = 0

    def take_unreadable_blocks(self) -> int:
        """How many blocks could not be read since this was asked last."""
        count, self._unreadable_blocks = self._unreadable_blocks, 0
        return count

    def frames(self, frames: Iterable[StoredFrame]) -> Iterator[Piece]:
        """All samples of the frames, in the order of time for every series of a device."""
        for stored in frames:
            for head, values, ticks in self._columns(stored):
                yield from self._pieces(stored.position, head, values, ticks)

    def ends(self, frames: Iterable[StoredFrame], span_ns: int) -> Iterator[Piece]:
        """A stale marker for every series in the last ``span_ns`` of a device's frames, the newest first.

        It stands a millisecond after the last sample, so that making it again changes nothing, and that what a device
        brings later of the time it was away still comes in order.
        """
        newest = None
        last_ms: dict[bytes, int] = {}
        for stored in frames:
            newest = newest or stored
            age_ns = newest.frame.end_monotonic_ns - stored.frame.end_monotonic_ns
            if stored.frame.boot_id != newest.frame.boot_id or age_ns > span_ns:
                break
            for head, values, ticks in self._columns(stored):
                pairs = zip(values, ticks.times_ms, strict=True)
                if present_ms := [time_ms for value, time_ms in pairs if value is not None]:
                    last_ms[head] = max(last_ms.get(head, 0), *present_ms)
        for head, time_ms in last_ms.items():
            assert newest is not None
            yield _single(newest.position, head, STALE, time_ms + 1)

    def single(self, position: int, name: str, labels: Labels, value: float, wall_ns: int) -> Piece:
        """One value of a series that no channel gives."""
        return _single(position, self._head(name, labels), value, wall_ns // _NS_PER_MS)

    def _columns(self, stored: StoredFrame) -> Iterator[tuple[bytes, Sequence[float | None], Ticks]]:
        """The columns that are exposed, each with its serialised labels."""
        for block in stored.frame.blocks:
            layout = stored.layouts[block.layout]
            heads = self._heads(stored.device_id, layout)
            for head, (values, ticks) in zip(heads, self._opened(block, layout.layout, stored), strict=False):
                if head is not None:
                    yield head, values, ticks

    def _opened(
        self, block: Block, layout: Layout, stored: StoredFrame
    ) -> Iterator[tuple[Sequence[float | None], Ticks]]:
        offset_ns = stored.start_wall_ns - stored.frame.start_monotonic_ns
        ticks: Ticks | None = None
        try:
            for column in decode_block(block, layout, stored.frame.start_monotonic_ns):
                ticks = ticks or ticks_of(column.times_monotonic_ns, offset_ns)
                yield column.values, ticks
        except MalformedFrameError:  # its header was right when it was stored; what is missing is counted
            self._unreadable_blocks += 1

    def _pieces(self, position: int, head: bytes, values: Sequence[float | None], ticks: Ticks) -> Iterator[Piece]:
        samples = serialised(values, ticks)
        for first in range(0, len(samples), self._most_samples):
            some = samples[first : first + self._most_samples]
            yield Piece(position, head + b"".join(some), len(some))

    def _heads(self, device_id: str, stored: StoredLayout) -> Sequence[bytes | None]:
        """The serialised labels of each channel; ``None`` for one that is not exposed."""
        key = (device_id, stored.layout_id)
        heads = self._known.get(key)
        if heads is None:
            labels = [(channel.metric, series_labels(device_id, channel)) for channel in stored.layout.channels]
            heads = [None if found is None else self._head(name, found) for name, found in labels]
            if self._known_channels + len(heads) > _MOST_CHANNELS:
                self._known.clear()
                self._known_channels = 0
            self._known[key] = heads
            self._known_channels += len(heads)
        return heads

    def _head(self, name: str, labels: Labels) -> bytes:
        """Labels as the protocol wants them: sorted by name, none of them empty."""
        every = {**self._labels, **dict(labels), "__name__": name}
        return TimeSeries(
            labels=[Label(name=name, value=value) for name, value in sorted(every.items()) if value]
        ).SerializeToString()


def _single(position: int, head: bytes, value: float, time_ms: int) -> Piece:
    return Piece(position, head + TimeSeries(samples=[Sample(value=value, timestamp=time_ms)]).SerializeToString(), 1)
