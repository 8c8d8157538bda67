"""Telemetry over the run, one plot per panel, and the phases that are marked behind them."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from edgeprof.run import Phase, PhaseKind, RunRecord
from edgeprof_collector.analysis.quantity import scale_of
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.panels import MEMORY_TRAFFIC, PANELS, Panel
from edgeprof_collector.report.plot import Axis, Canvas, LegendEntry, Plot, Range, Shape, range_around, range_from_zero
from edgeprof_collector.report.series_style import colour
from edgeprof_collector.report.telemetry_lines import Line, TimeSpan, panel_lines
from edgeprof_collector.report.thinning import Floats, thin, unbroken_stretches
from edgeprof_collector.report.traffic_lines import measured_peaks, needed_traffic

_MINUTES_FROM_SECONDS = 600
# More lines than this cannot be told apart; those with the highest mean are shown.
_MOST_LINES = 6
_LEAST_SPAN_RATIO = 0.2


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


def telemetry_plots(series: Sequence[Series], verdict: Verdict, span: TimeSpan) -> Iterator[Plot]:
    """A plot of every panel that has data."""
    for panel in PANELS:
        lines = panel_lines(panel, panel.sources, series, span)
        limits = panel_lines(panel, panel.beside, series, span)
        if panel is MEMORY_TRAFFIC:
            lines += needed_traffic(verdict, span)
            limits += measured_peaks(verdict, span)
        if lines:
            yield _panel_plot(panel, lines, limits, span)


def _panel_plot(panel: Panel, every_line: Sequence[Line], limits: Sequence[Line], span: TimeSpan) -> Plot:
    lines = every_line[:_MOST_LINES]
    drawn = [*lines, *limits]
    extremes = [float(extreme(part)) for line in drawn for part in _parts(line) for extreme in (np.min, np.max)]
    y_range = range_from_zero(extremes) if panel.from_zero else range_around(extremes, _LEAST_SPAN_RATIO)
    canvas = Canvas(span.seconds, y_range)
    unit = scale_of(max(extremes), panel.unit)
    hidden = f" ({len(lines)} of {len(every_line)} shown)" if len(every_line) > len(lines) else ""
    return Plot(
        title=f"{panel.title}{hidden}",
        summary=", ".join(f"{line.label} up to {unit.text(float(line.values.max()))}" for line in drawn),
        x=time_axis(span.seconds),
        y=y_range.axis(unit.unit, unit_size=unit.unit_size, count=3),
        shapes=tuple(chain(_shapes(canvas, lines), _limit_shapes(canvas, limits, len(lines)))),
        legend=tuple(chain(_legend(lines), _limit_legend(limits, len(lines)))),
    )


def _shapes(canvas: Canvas, lines: Sequence[Line]) -> Iterator[Shape]:
    for index, line in enumerate(lines):
        if line.low is not None and line.high is not None:
            yield Shape(_outline(canvas, line.times, line.low, line.high), f"band {colour(index)}")
        style = "stretch" if line.in_pairs else "line"
        for path in _paths(canvas, line):
            yield Shape(path, f"{style} {colour(index)}", line.label)


def _limit_shapes(canvas: Canvas, limits: Sequence[Line], first_colour: int) -> Iterator[Shape]:
    for index, line in enumerate(limits, first_colour):
        for path in _paths(canvas, line):
            yield Shape(path, f"limit {colour(index)}", line.label)


def _legend(lines: Sequence[Line]) -> Iterator[LegendEntry]:
    for index, line in enumerate(lines):
        yield LegendEntry(line.label, f"line-key {colour(index)}")
        if line.low is not None:
            yield LegendEntry("lowest to highest", f"band-key {colour(index)}")


def _limit_legend(limits: Sequence[Line], first_colour: int) -> Iterator[LegendEntry]:
    for index, line in enumerate(limits, first_colour):
        yield LegendEntry(line.label, f"limit-key {colour(index)}")


def time_axis(seconds: Range) -> Axis:
    """The axis of the time since a run's start, in minutes where it is long."""
    if seconds.high >= _MINUTES_FROM_SECONDS:
        return seconds.axis("", unit_size=60.0, count=8, suffix=" min")
    return seconds.axis("", count=8, suffix=" s")


def _parts(line: Line) -> list[Floats]:
    return [part for part in (line.values, line.low, line.high) if part is not None]


def _paths(canvas: Canvas, line: Line) -> Iterator[str]:
    if line.in_pairs:
        points = zip(line.times.tolist(), line.values.tolist(), strict=True)
        yield "".join(canvas.line(pair) for pair in zip(points, points, strict=True))
        return
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
