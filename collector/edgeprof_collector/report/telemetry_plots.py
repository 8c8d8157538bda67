"""Telemetry over the run, one plot per panel, and the phases that are marked behind them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgeprof.run import Phase, PhaseKind, RunRecord
from edgeprof_collector.analysis.quantity import scale_of
from edgeprof_collector.analysis.repetitions import last_moment_ns
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.panels import PANELS, Panel, Source, Treatment
from edgeprof_collector.report.plot import Axis, Canvas, LegendEntry, Plot, Range, Shape, range_around, range_from_zero
from edgeprof_collector.report.series_style import colour
from edgeprof_collector.report.thinning import Floats, thin, unbroken_stretches

_SECOND_NS = 1_000_000_000
_MINUTES_FROM_SECONDS = 600
# More lines than this cannot be told apart; those with the highest mean are shown.
_MOST_LINES = 6
# Increases of a counter are taken over at least this long: shorter, they are mostly the counter's own steps.
_RATE_SECONDS = 0.5
_LEAST_SPAN_RATIO = 0.2


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a panel, in seconds of the run and the panel's unit; ``low`` and ``high`` where it has a range."""

    label: str
    times: Floats
    values: Floats
    low: Floats | None = None
    high: Floats | None = None


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


def phase_shapes(record: RunRecord, span: TimeSpan) -> tuple[Shape, ...]:
    """A column per phase, styled by what it was spent on; rests are left blank."""
    canvas = Canvas(span.seconds, Range(0.0, 1.0))
    shapes = []
    for phase in record.phases:
        if phase.kind is not PhaseKind.REST:
            start, end = span.seconds_of((phase.start_monotonic_ns, phase.end_monotonic_ns))
            style, name, detail = _describe_phase(record, phase)
            shapes.append(Shape(canvas.column(start, end), f"phase {style}", f"{detail or name}, {end - start:.2f} s"))
    return tuple(shapes)


def phase_legend(record: RunRecord) -> tuple[LegendEntry, ...]:
    """What the colours of phases mean, in the order in which they first came."""
    names: dict[str, list[str]] = {}
    for phase in record.phases:
        if phase.kind is not PhaseKind.REST:
            style, name, _ = _describe_phase(record, phase)
            known = names.setdefault(style, [])
            known += [name] if name not in known else []
    return tuple(LegendEntry(", ".join(known), f"phase {style}") for style, known in names.items())


def telemetry_plots(series: Sequence[Series], span: TimeSpan) -> Iterator[Plot]:
    """A plot of every panel that has data."""
    for panel in PANELS:
        lines = [line for source in panel.sources for line in _lines(source, series, span)]
        if lines:
            lines.sort(key=lambda line: -float(line.values.mean()))
            yield _panel_plot(panel, lines[:_MOST_LINES], len(lines), span)


def _panel_plot(panel: Panel, lines: Sequence[_Line], line_count: int, span: TimeSpan) -> Plot:
    extremes = [float(extreme(part)) for line in lines for part in _parts(line) for extreme in (np.min, np.max)]
    y_range = range_from_zero(extremes) if panel.from_zero else range_around(extremes, _LEAST_SPAN_RATIO)
    canvas = Canvas(span.seconds, y_range)
    unit = scale_of(max(extremes), panel.unit)
    shapes = []
    for index, line in enumerate(lines):
        if line.low is not None and line.high is not None:
            shapes.append(Shape(_outline(canvas, line.times, line.low, line.high), f"band {colour(index)}"))
        shapes += [Shape(path, f"line {colour(index)}", line.label) for path in _paths(canvas, line)]
    hidden = f" ({len(lines)} of {line_count} shown)" if line_count > len(lines) else ""
    return Plot(
        title=f"{panel.title}{hidden}",
        summary=", ".join(f"{line.label} up to {unit.text(float(line.values.max()))}" for line in lines),
        x=time_axis(span.seconds),
        y=y_range.axis(unit.unit, unit_size=unit.unit_size, count=3),
        shapes=tuple(shapes),
        legend=tuple(_legend(lines)),
    )


def _legend(lines: Sequence[_Line]) -> Iterator[LegendEntry]:
    for index, line in enumerate(lines):
        yield LegendEntry(line.label, f"line-key {colour(index)}")
        if line.low is not None:
            yield LegendEntry("lowest to highest", f"band-key {colour(index)}")


def time_axis(seconds: Range) -> Axis:
    """The axis of the time since a run's start, in minutes where it is long."""
    if seconds.high >= _MINUTES_FROM_SECONDS:
        return seconds.axis("", unit_size=60.0, count=8, suffix=" min")
    return seconds.axis("", count=8, suffix=" s")


def _lines(source: Source, series: Sequence[Series], span: TimeSpan) -> Iterator[_Line]:
    found = []
    for each in series:
        if each.channel.metric == source.metric:
            times = (each.times_monotonic_ns - span.start_monotonic_ns) / _SECOND_NS
            inside = (times >= span.seconds.low) & (times <= span.seconds.high)
            if inside.sum() > 1:
                words = [source.label, *(value for _, value in each.channel.labels)]
                found.append(_Line(clean(" ".join(word for word in words if word)), times[inside], each.values[inside]))
    if source.treatment is Treatment.SPREAD and found:
        yield _spread(source.label, found)
    elif source.treatment is Treatment.RATE:
        yield from (rate for line in found if (rate := _rate(line)))
    else:
        yield from found


def _spread(label: str, lines: Sequence[_Line]) -> _Line:
    times = lines[0].times
    table = np.array([np.interp(times, line.times, line.values) for line in lines])
    return _Line(label, times, table.mean(axis=0), table.min(axis=0), table.max(axis=0))


def _rate(line: _Line) -> _Line | None:
    """The increase per second, as steps; a counter that was reset has none at that moment."""
    stride = max(1, round(_RATE_SECONDS / float(np.median(np.diff(line.times)))))
    times, values = line.times[::stride], line.values[::stride]
    if times.size < 3:
        return None
    rates = np.diff(values) / np.diff(times)
    grew = rates >= 0
    edges = np.stack([times[:-1][grew], times[1:][grew]], axis=1)
    return _Line(line.label, edges.ravel(), np.repeat(rates[grew], 2))


def _parts(line: _Line) -> list[Floats]:
    return [part for part in (line.values, line.low, line.high) if part is not None]


def _paths(canvas: Canvas, line: _Line) -> Iterator[str]:
    for stretch in unbroken_stretches(line.times):
        times, values = thin(line.times[stretch], line.values[stretch])
        yield canvas.line(zip(times.tolist(), values.tolist(), strict=True))


def _outline(canvas: Canvas, times: Floats, low: Floats, high: Floats) -> str:
    there, back = thin(times, high), thin(times, low)
    points = [*zip(*there, strict=True), *reversed(list(zip(*back, strict=True)))]
    return canvas.line(points) + "Z"


def _describe_phase(record: RunRecord, phase: Phase) -> tuple[str, str, str]:
    """A phase's style, its name, and what more there is to say of it."""
    plan = record.started.plan
    if phase.kind is PhaseKind.STEP and phase.step is not None:
        step = plan.steps[phase.step.step]
        return step.kind.value, step.kind.value, clean(f"{step.name}, repetition {phase.step.repetition + 1}")
    style = "load" if phase.kind in (PhaseKind.LOAD, PhaseKind.WARM_UP) else "other"
    return style, phase.kind.value.replace("_", " "), clean(phase.note)
