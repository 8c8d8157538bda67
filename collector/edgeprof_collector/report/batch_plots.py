"""Plots of what batches are worth: the rate of sequences decoded together, and the time of a call over its rows."""

from collections.abc import Callable, Iterator, Sequence

from edgeprof.plan import StepKind
from edgeprof_collector.analysis.quantity import figure_scale, scale_of
from edgeprof_collector.analysis.verdict import Figure, FigureName, StepVerdict, Verdict
from edgeprof_collector.report.plot import Canvas, Plot, Range, Shape, range_from_zero
from edgeprof_collector.report.rate_plots import dot_with_interval
from edgeprof_collector.report.series_style import colour, variant_legend, variant_prefix

_Sized = tuple[int, StepVerdict, Figure]


def batch_plots(verdict: Verdict) -> Iterator[Plot]:
    """A plot of parallel steps and one of rows steps, each where the run has two sizes or more."""
    together = _sized(verdict, StepKind.PARALLEL, FigureName.AGGREGATE_RATE, lambda step: step.sequences)
    calls = _sized(verdict, StepKind.ROWS, FigureName.CALL_TIME, lambda step: step.rows)
    if len({size for size, _, _ in together}) > 1:
        yield _plot("Aggregate decode rate over sequences", "sequences decoded together", together)
    if len({size for size, _, _ in calls}) > 1:
        yield _plot("Time per call over its rows", "rows in each call", calls)


def _sized(verdict: Verdict, kind: StepKind, name: FigureName, size_of: Callable[[StepVerdict], int]) -> list[_Sized]:
    steps = [step for step in verdict.steps if step.kind is kind]
    return sorted(
        ((size_of(step), step, figure) for step in steps if (figure := step.figure(name))),
        key=lambda sized: (sized[1].variant, sized[0]),
    )


def _plot(title: str, x_title: str, shown: Sequence[_Sized]) -> Plot:
    steps = [step for _, step, _ in shown]
    largest = max(size for size, _, _ in shown)
    values = [value for _, _, figure in shown for value in _extent(figure)]
    canvas = Canvas(Range(0, 1.05 * largest), range_from_zero(values))
    unit = scale_of(max(values), shown[0][2].unit)
    shapes: list[Shape] = []
    for variant in dict.fromkeys(step.variant for step in steps):
        points = [each for each in shown if each[1].variant == variant]
        line = canvas.line([(size, figure.median) for size, _, figure in points])
        shapes.append(Shape(line, f"line {colour(variant)}"))
        for size, step, figure in points:
            tip = f"{variant_prefix(step, steps)}{size}: {figure_scale(figure).text(figure.median)}"
            shapes += dot_with_interval(canvas, size, figure, colour(variant), tip)
    return Plot(
        title=title,
        summary="; ".join(
            f"{variant_prefix(step, steps)}{size}: {figure_scale(figure).text(figure.median)}"
            for size, step, figure in shown
        ),
        x=canvas.x.axis(x_title),
        y=canvas.y.axis(unit.unit, unit_size=unit.unit_size),
        shapes=tuple(shapes),
        legend=variant_legend(steps),
    )


def _extent(figure: Figure) -> list[float]:
    return [figure.median] + ([figure.interval.low, figure.interval.high] if figure.interval else [])
