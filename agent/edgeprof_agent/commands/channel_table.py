"""The last values of all channels, and how old each is."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from edgeprof.catalogue import METRICS
from edgeprof.metric import Kind
from edgeprof.telemetry import Channel, SampledFrame, dequantise

_SECOND_NS = 1_000_000_000
# A counter's rate is taken over this long: some counters are refreshed ten times a second and no more.
_RATE_WINDOW_NS = 2 * _SECOND_NS
_STALE_TICKS = 3  # of the slow tier


@dataclass(frozen=True, slots=True)
class Row:
    """A channel now. ``shown`` is its value, of a counter its increase per second, ``None`` before two values."""

    channel: Channel
    value: float
    shown: float | None
    age_seconds: float
    is_stale: bool


class ChannelTable:
    """Keeps the values of channels that have none any more, and says that they are stale."""

    def __init__(self, slow_hertz: float) -> None:
        self._stale_ns = int(_STALE_TICKS * _SECOND_NS / slow_hertz)
        self._histories: dict[Channel, deque[tuple[int, float]]] = {}

    def add(self, frame: SampledFrame) -> None:
        """Take the values of a frame."""
        for block in frame.blocks:
            for channel, column in zip(block.channels, block.columns, strict=True):
                for time_ns, steps in zip(block.times_monotonic_ns, column, strict=True):
                    if steps is not None:
                        self._add(channel, time_ns, dequantise(steps, channel.resolution))

    def rows(self, now_ns: int) -> Sequence[Row]:
        """Return all channels that have ever had a value, in the order of the catalogue and of their labels."""
        order = {name: index for index, name in enumerate(METRICS)}
        channels = sorted(self._histories, key=lambda found: (order[found.metric], found.labels, found.source))
        return [self._row(channel, now_ns) for channel in channels]

    def _add(self, channel: Channel, time_ns: int, value: float) -> None:
        history = self._histories.setdefault(channel, deque())
        if METRICS[channel.metric].kind is Kind.GAUGE:
            history.clear()
        history.append((time_ns, value))
        while len(history) > 2 and time_ns - history[1][0] >= _RATE_WINDOW_NS:
            history.popleft()

    def _row(self, channel: Channel, now_ns: int) -> Row:
        history = self._histories[channel]
        (first_ns, first), (last_ns, last) = history[0], history[-1]
        shown: float | None = last
        if METRICS[channel.metric].kind is Kind.COUNTER:
            shown = (last - first) * _SECOND_NS / (last_ns - first_ns) if last_ns > first_ns else None
        age_ns = max(0, now_ns - last_ns)
        return Row(channel, last, shown, age_ns / _SECOND_NS, age_ns > self._stale_ns)
