"""Plots of rates: by repetition, and by depth."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from edgeprof.plan import StepKind
from edgeprof_collector.analysis.definitions import DEFINITIONS
from edgeprof_collector.analysis.quantity import figure_scale
from edgeprof_collector.analysis.verdict import Figure, FigureName, StepVerdict, Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.plot import Canvas, Plot, Range, Shape, range_around, range_from_zero, whole_numbers
from edgeprof_collector.report.series_style import colour, variant_legend, variant_prefix

# A rate's axis spans at least this share of the rate, so that noise of a percent does not fill the plot.
_LEAST_SPAN_RATIO = 0.10
# Repetitions of several variants stand beside each other, this far apart.
_ASIDE = 0.16
# More dots than this are drawn small.
_MOST_LARGE_DOTS = 30

Shown = tuple[StepVerdict, Figure]


def rate_plots(verdict: Verdict) -> Iterator[Plot]:
    """One plot per step of the plan: its rate in every repetition, the median and its interval, by variant."""
    for _, steps in groupby(verdict.steps, key=lambda step: step.step):
        shown = [(step, figure) for step in steps if (figure := _main_rate(step))]
        if shown:
            yield _rate_plot(shown)


def depth_plot(verdict: Verdict) -> Plot | None:
    """Decode rate over depth, by variant; ``None`` with fewer than two depths."""
    decodes = [step for step in verdict.steps if step.kind is StepKind.DECODE]
    shown = [(step, figure) for step in decodes if (figure := _main_rate(step))]
    depths = {step.depth_tokens for step, _ in shown}
    if len(depths) < 2:
        return None
    air = 0.05 * max(depths)
    rates = range_from_zero(value for _, figure in shown for value in _extent(figure))
    canvas = Canvas(Range(-air, max(depths) + air), rates)
    shapes = []
    for variant in sorted({step.variant for step, _ in shown}):
        points = [each for each in shown if each[0].variant == variant]
        points.sort(key=lambda each: each[0].depth_tokens)
        line = canvas.line([(step.depth_tokens, figure.median) for step, figure in points])
        shapes.append(Shape(line, f"line {colour(variant)}"))
        for step, figure in points:
            tip = f"{variant_prefix(step, decodes)}depth {step.depth_tokens:,}, {_in_words(figure)}"
            shapes += dot_with_interval(canvas, step.depth_tokens, figure, colour(variant), tip)
    return Plot(
        title="Decode rate over depth",
        summary="; ".join(f"depth {step.depth_tokens:,}: {_in_words(figure)}" for step, figure in shown),
        x=canvas.x.axis("tokens of context before the step"),
        y=canvas.y.axis("tokens/s"),
        shapes=tuple(shapes),
        legend=variant_legend(decodes),
    )


def dot_with_interval(canvas: Canvas, x: float, figure: Figure, style: str, tip: str) -> list[Shape]:
    """A figure's median, with its interval as a bar."""
    shapes = []
    if figure.interval:
        bar = canvas.line([(x, figure.interval.low), (x, figure.interval.high)])
        shapes.append(Shape(bar, f"bar {style}", tip))
    return [*shapes, Shape(canvas.dot(x, figure.median), f"dot {style}", tip)]


def _rate_plot(shown: Sequence[Shown]) -> Plot:
    steps = [step for step, _ in shown]
    last = max(sample.repetition for _, figure in shown for sample in figure.samples) + 1
    x_range, x_axis = whole_numbers("repetition", last)
    canvas = Canvas(
        x_range, range_around([value for _, figure in shown for value in _extent(figure)], _LEAST_SPAN_RATIO)
    )
    shapes = []
    for index, (step, figure) in enumerate(shown):
        prefix = variant_prefix(step, steps)
        shapes += _interval_and_median(canvas, figure, colour(step.variant), prefix)
        aside = (index - (len(shown) - 1) / 2) * _ASIDE
        shapes += _repetitions(canvas, step, figure, aside, prefix)
    name = DEFINITIONS[shown[0][1].name].title
    return Plot(
        title=f"{clean(steps[0].name)}: {name}",
        summary="; ".join(variant_prefix(step, steps) + _in_words(figure) for step, figure in shown),
        x=x_axis,
        y=canvas.y.axis("tokens/s"),
        shapes=tuple(shapes),
        legend=variant_legend(steps),
    )


def _interval_and_median(canvas: Canvas, figure: Figure, style: str, prefix: str) -> list[Shape]:
    left, right = canvas.x.low, canvas.x.high
    tip = prefix + _in_words(figure)
    median = Shape(canvas.line([(left, figure.median), (right, figure.median)]), f"median {style}", tip)
    if figure.interval is None:
        return [median]
    return [Shape(canvas.box(left, right, figure.interval.low, figure.interval.high), f"band {style}", tip), median]


def _repetitions(canvas: Canvas, step: StepVerdict, figure: Figure, aside: float, prefix: str) -> Iterator[Shape]:
    """A dot per repetition; a ring where the repetition was flagged."""
    scale = figure_scale(figure)
    size = " small" if len(figure.samples) > _MOST_LARGE_DOTS else ""
    flags = {each.index: ", ".join(raised.flag.value for raised in each.flags) for each in step.repetitions}
    for sample in figure.samples:
        flagged = flags.get(sample.repetition, "")
        tip = f"{prefix}repetition {sample.repetition + 1}: {scale.text(sample.value)}"
        place = canvas.dot(sample.repetition + 1 + aside, sample.value)
        if flagged:
            tip = f"{tip}, {flagged}"
            yield Shape(place, f"flagged{size}", tip)
            yield Shape(place, f"flagged-gap{size}")
        yield Shape(place, f"dot{size} {colour(step.variant)}", tip)


def _main_rate(step: StepVerdict) -> Figure | None:
    main = {StepKind.PREFILL: FigureName.PREFILL_RATE, StepKind.PARALLEL: FigureName.AGGREGATE_RATE}
    return step.figure(main.get(step.kind, FigureName.DECODE_RATE))


def _extent(figure: Figure) -> list[float]:
    values = [sample.value for sample in figure.samples]
    return values + ([figure.interval.low, figure.interval.high] if figure.interval else [])


def _in_words(figure: Figure) -> str:
    scale = figure_scale(figure)
    interval = f", 95 % interval {scale.range(figure.interval)}" if figure.interval else ""
    return f"median {scale.text(figure.median)}{interval}"
