"""Samples gathered into frames."""

from collections.abc import Sequence
from operator import attrgetter

from edgeprof.telemetry import Channel, Reading, SampledBlock, SampledFrame, quantise

_Rows = list[tuple[int, Sequence[Reading]]]

_CHANNEL, _VALUE = attrgetter("channel"), attrgetter("value")


class FrameBuilder:
    """The open frame. What shares a ``group`` was sampled together and shares a time axis.

    A block takes bytes for each of its channels, whatever it holds: a group with fewer than ``block_ticks`` ticks is
    held back for the next frame, where its first tick is before the frame's start.

    A group's channels are kept from frame to frame, so that its layout stays the same when one gives no value for a
    while.
    """

    def __init__(self, run_id: str, start_ns: int, block_ticks: int = 1) -> None:
        self._run_id = run_id
        self._block_ticks = block_ticks
        self._start_ns = start_ns
        self._groups: dict[str, _Group] = {}

    def add(self, group: str, time_ns: int, readings: Sequence[Reading]) -> None:
        """Add what was sampled together at one time."""
        if group not in self._groups:
            self._groups[group] = _Group()
        self._groups[group].rows.append((time_ns, readings))

    def close(self, end_ns: int, *, last: bool = False) -> SampledFrame | None:
        """Return the frame up to now and open the next; ``None`` if there is nothing for it.

        The ``last`` frame holds nothing back.
        """
        enough = 1 if last else self._block_ticks
        blocks = tuple(group.close() for group in self._groups.values() if len(group.rows) >= enough)
        start_ns, self._start_ns = self._start_ns, end_ns
        if not blocks:
            return None
        return SampledFrame(run_id=self._run_id, start_monotonic_ns=start_ns, end_monotonic_ns=end_ns, blocks=blocks)


class _Group:
    def __init__(self) -> None:
        self.rows: _Rows = []
        self._channels: tuple[Channel, ...] = ()
        self._order: tuple[Channel, ...] = ()  # as the sensors gave them last, when each row had them all once

    def close(self) -> SampledBlock:
        """Turn the rows into columns."""
        rows, self.rows = self.rows, []
        columns = self._like_before(rows) or self._in_any_order(rows)
        return SampledBlock(
            channels=self._channels,
            times_monotonic_ns=tuple(time_ns for time_ns, _ in rows),
            columns=columns,
        )

    def _like_before(self, rows: _Rows) -> tuple[tuple[int | None, ...], ...] | None:
        """Turn rows that have the same channels in the same order as before, which spares a look-up for each value."""
        if any(tuple(map(_CHANNEL, readings)) != self._order for _, readings in rows):
            return None
        values = zip(*(map(_VALUE, readings) for _, readings in rows), strict=True)
        by_channel = dict(zip(self._order, values, strict=True))
        silent = (None,) * len(rows)
        return tuple(
            tuple([quantise(value, channel.resolution) for value in by_channel[channel]])
            if channel in by_channel
            else silent
            for channel in self._channels
        )

    def _in_any_order(self, rows: _Rows) -> tuple[tuple[int | None, ...], ...]:
        here = {channel for _, readings in rows for channel, _ in readings}
        if not here.issubset(self._channels):
            # sorted, so that the same channels make the same layout whichever was seen first
            self._channels = tuple(sorted(here.union(self._channels), key=lambda found: (found.metric, found.labels)))
        columns: dict[Channel, list[int | None]] = {channel: [None] * len(rows) for channel in self._channels}
        for index, (_, readings) in enumerate(rows):
            for channel, value in readings:
                columns[channel][index] = quantise(value, channel.resolution)
        last = tuple(channel for channel, _ in rows[-1][1])
        self._order = last if len(last) == len(here) else ()
        return tuple(tuple(column) for column in columns.values())
