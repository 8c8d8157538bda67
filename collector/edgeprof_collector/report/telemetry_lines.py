"""From the series of a run to the lines of a panel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgeprof.run import RunRecord
from edgeprof.telemetry import Channel
from edgeprof_collector.analysis.repetitions import last_moment_ns
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.panels import Panel, Source, Treatment
from edgeprof_collector.report.plot import Range
from edgeprof_collector.report.thinning import Floats

_SECOND_NS = 1_000_000_000
# Increases of a counter are taken over at least this long: shorter, they are mostly the counter's own steps.
_RATE_SECONDS = 0.5
_DIRECTIONS = {"both": "read and written", "write": "written"}
# Labels that say how a value is known, or what of a GPU it is of.
_KINDS = ("source", "limiter")
# The chip of a temperature whose place says all.
_ZONES = "thermal_zone"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a panel, in seconds of the run and the panel's unit; ``low`` and ``high`` where it has a range.

    ``mean`` is over the run, ``total`` the growth of a counter. ``in_pairs`` means that two points each are a stretch
    by itself.
    """

    label: str
    times: Floats
    values: Floats
    low: Floats | None = None
    high: Floats | None = None
    total: float | None = None
    in_pairs: bool = False

    @property
    def mean(self) -> float:
        """Mean over time: each value counts for the time until the next."""
        spans = np.diff(self.times)
        whole = float(spans.sum())
        return float((self.values[:-1] * spans).sum()) / whole if whole else float(self.values.mean())


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """The stretch of time that all panels show."""

    start_monotonic_ns: int
    seconds: Range

    def seconds_of(self, times_monotonic_ns: Sequence[int]) -> list[float]:
        """Seconds since the start of the run."""
        return [(time_ns - self.start_monotonic_ns) / _SECOND_NS for time_ns in times_monotonic_ns]


def time_span(record: RunRecord) -> TimeSpan:
    """From the start of the run to its end, or to what is known of it."""
    start_ns = record.started.monotonic_ns
    return TimeSpan(start_ns, Range(0.0, max((last_moment_ns(record) - start_ns) / _SECOND_NS, 1.0)))


def panel_lines(panel: Panel, sources: Sequence[Source], series: Sequence[Series], span: TimeSpan) -> list[Line]:
    """The lines of a panel from these of its sources, the highest first.

    Those that stay at 0 are left out in a quiet panel, and beside others, such as those of a second GPU that idles.
    """
    lines = [line for source in sources for line in _lines(source, series, span)]
    moving = [line for line in lines if np.any(line.values != 0)]
    return sorted(moving if moving or panel.quiet else lines, key=lambda line: -line.mean)


def _lines(source: Source, series: Sequence[Series], span: TimeSpan) -> Iterator[Line]:
    found = []
    for each in series:
        shown = all(value not in source.left_out for _, value in each.channel.labels)
        if each.channel.metric == source.metric and shown:
            inside = _inside(each, span)
            if inside.stop - inside.start > 1:
                found.append(
                    Line(
                        _name(source, each.channel),
                        (each.times_monotonic_ns[inside] - span.start_monotonic_ns) / _SECOND_NS,
                        each.values[inside],
                        each.thinned.lowest[inside] if each.thinned else None,
                        each.thinned.highest[inside] if each.thinned else None,
                    )
                )
    if source.treatment is Treatment.SPREAD and found:
        yield _spread(source.label, found)
    elif source.treatment is Treatment.RATE:
        yield from (rate for line in found if (rate := _rate(line)))
    elif source.treatment is Treatment.GROWTH:
        yield from (_growth(line) for line in found)
    else:
        yield from found


def _inside(series: Series, span: TimeSpan) -> slice:
    """The samples within the span, as a slice, which copies nothing."""
    ends = [span.start_monotonic_ns + round(end * _SECOND_NS) for end in (span.seconds.low, span.seconds.high)]
    first = int(np.searchsorted(series.times_monotonic_ns, ends[0]))
    return slice(first, int(np.searchsorted(series.times_monotonic_ns, ends[1], side="right")))


def _name(source: Source, channel: Channel) -> str:
    """The source's label and the channel's labels, in the source's order if it has one."""
    labels = dict(channel.labels)
    names = [name for name in source.labels or sorted(labels) if labels.get(name, _ZONES) != _ZONES]
    return clean(" ".join(word for word in (source.label, *(_word(name, labels[name]) for name in names)) if word))


def _word(name: str, value: str) -> str:
    if name in _KINDS:
        return f"({value.replace('_', ' ')})"
    return _DIRECTIONS.get(value, value) if name == "direction" else value.replace("+", " + ")


def _spread(label: str, lines: Sequence[Line]) -> Line:
    """Mean, lowest and highest of all lines at the times of the first, one line after another to save memory."""
    times = lines[0].times
    means = np.zeros(times.size)
    lows, highs = np.full(times.size, np.inf), np.full(times.size, -np.inf)
    for line in lines:
        values = _at(times, line, line.values)
        means += values
        np.minimum(lows, values if line.low is None else _at(times, line, line.low), out=lows)
        np.maximum(highs, values if line.high is None else _at(times, line, line.high), out=highs)
    return Line(label, times, means / len(lines), lows, highs)


def _at(times: Floats, line: Line, values: Floats) -> Floats:
    """A line's values at these times, which mostly are its own."""
    if line.times.size == times.size and np.array_equal(line.times, times):
        return values
    return np.interp(times, line.times, values)


def _rate(line: Line) -> Line | None:
    """The increase per second, as steps; a counter that was reset has none at that moment."""
    stride = max(1, round(_RATE_SECONDS / float(np.median(np.diff(line.times)))))
    times, values = line.times[::stride], line.values[::stride]
    if times.size < 3:
        return None
    rates = np.diff(values) / np.diff(times)
    grew = rates >= 0
    edges = np.stack([times[:-1][grew], times[1:][grew]], axis=1)
    return Line(line.label, edges.ravel(), np.repeat(rates[grew], 2), total=_grown(line))


def _growth(line: Line) -> Line:
    """How far a counter has come since the run began, over all its resets."""
    steps = np.maximum(np.diff(line.values, prepend=line.values[:1]), 0.0)
    return replace(line, values=np.cumsum(steps), low=None, high=None, total=_grown(line))


def _grown(line: Line) -> float:
    return float(np.maximum(np.diff(line.values), 0.0).sum())
