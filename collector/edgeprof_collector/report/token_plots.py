"""Plots of single tokens: the time to the first one by turn, and the gaps between the others."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from edgeprof.plan import StepKind
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.quantity import figure_scale, scale_of
from edgeprof_collector.analysis.repetitions import RecordedRepetition, group_repetitions, token_gaps_seconds
from edgeprof_collector.analysis.verdict import Figure, FigureName, StepVerdict, Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.plot import Canvas, LegendEntry, Plot, Shape, range_from_zero, whole_numbers
from edgeprof_collector.report.rate_plots import dot_with_interval
from edgeprof_collector.report.rows import step_title
from edgeprof_collector.report.series_style import colour, variant_legend, variant_prefix
from edgeprof_collector.report.thinning import thin

GAP_LEGEND = (
    LegendEntry("median of the repetitions", "line-key c0"),
    LegendEntry("shortest to longest", "band-key c0"),
    LegendEntry("a chat's next turn", "turn-key"),
)


def ttft_plots(verdict: Verdict) -> Iterator[Plot]:
    """One plot per chat: the time to the first token of each turn, by variant."""
    chats = [step for step in verdict.steps if step.kind is StepKind.CHAT and step.turns > 1]
    for _, steps in groupby(chats, key=lambda step: step.step):
        shown = [(step, figures) for step in steps if (figures := _ttfts(step))]
        if shown:
            yield _ttft_plot(shown)


def gap_plots(record: RunRecord, verdict: Verdict) -> Iterator[Plot]:
    """One plot per step and variant that generates tokens: the gap before each token, of sequences those of one."""
    repetitions = group_repetitions(record)
    for step in verdict.steps:
        gaps = _gaps_by_token(repetitions[step.step, step.variant], 1 if step.sequences else step.turns)
        if gaps.shape[1] > 1 and step.kind is not StepKind.ROWS:
            yield _gap_plot(step, step_title(step, verdict), gaps)


def _ttfts(step: StepVerdict) -> list[Figure]:
    return [figure for figure in step.figures if figure.name is FigureName.TTFT]


def _ttft_plot(shown: Sequence[tuple[StepVerdict, Sequence[Figure]]]) -> Plot:
    steps = [step for step, _ in shown]
    x_range, x_axis = whole_numbers("turn", steps[0].turns)
    seconds = [sample.value for _, figures in shown for figure in figures for sample in figure.samples]
    canvas = Canvas(x_range, range_from_zero(seconds))
    unit = scale_of(max(seconds), "s")
    shapes: list[Shape] = []
    for step, figures in shown:
        shapes += _turns(canvas, figures, colour(step.variant), variant_prefix(step, steps))
    return Plot(
        title=f"{clean(steps[0].name)}: time to first token",
        summary="; ".join(variant_prefix(step, steps) + _turns_in_words(figures) for step, figures in shown),
        x=x_axis,
        y=canvas.y.axis(unit.unit, unit_size=unit.unit_size),
        shapes=tuple(shapes),
        legend=variant_legend(steps),
    )


def _turns(canvas: Canvas, figures: Sequence[Figure], style: str, prefix: str) -> Iterator[Shape]:
    """A faint dot per repetition, and the medians joined."""
    yield Shape(canvas.line([(_turn(figure), figure.median) for figure in figures]), f"line {style}")
    for figure in figures:
        for sample in figure.samples:
            yield Shape(canvas.dot(_turn(figure), sample.value), f"faint-dot {style}")
        tip = f"{prefix}turn {_turn(figure)}: median {figure_scale(figure).text(figure.median)}"
        yield from dot_with_interval(canvas, _turn(figure), figure, style, tip)


def _turn(figure: Figure) -> int:
    return (figure.turn or 0) + 1


def _turns_in_words(figures: Sequence[Figure]) -> str:
    return ", ".join(f"turn {_turn(figure)} {figure_scale(figure).text(figure.median)}" for figure in figures)


def _gaps_by_token(repetitions: Sequence[RecordedRepetition], requests: int) -> NDArray[np.float64]:
    """A row of gaps per complete repetition, of its first ``requests``, in seconds, cut to the shortest."""
    rows = [token_gaps_seconds(repetition.requests[:requests]) for repetition in repetitions if repetition.complete]
    length = min((row.size for row in rows), default=0)
    return np.array([row[:length] for row in rows]).reshape(len(rows), length)


def _gap_plot(step: StepVerdict, title: str, gaps: NDArray[np.float64]) -> Plot:
    """The first token of each request has no gap, so a chat's turns follow each other without theirs."""
    tokens = np.arange(1, gaps.shape[1] + 1, dtype=np.float64)
    x_range, x_axis = whole_numbers("token after the first", gaps.shape[1], count=6)
    canvas = Canvas(x_range, range_from_zero([float(gaps.max())]))
    unit = scale_of(float(np.median(gaps)), "s")
    shapes = [Shape(path, "turn", f"turn {turn} begins") for turn, path in _turn_borders(canvas, step, gaps.shape[1])]
    longest, shortest = thin(tokens, gaps.max(axis=0)), thin(tokens, gaps.min(axis=0))
    outline = [*zip(*longest, strict=True), *reversed(list(zip(*shortest, strict=True)))]
    shapes.append(Shape(canvas.line(outline) + "Z", "band c0"))
    shapes.append(Shape(canvas.line(zip(*thin(tokens, np.median(gaps, axis=0)), strict=True)), "line c0"))
    return Plot(
        title=clean(title),
        summary=f"median {unit.text(float(np.median(gaps)))}, longest {unit.text(float(gaps.max()))}",
        x=x_axis,
        y=canvas.y.axis(f"gap, {unit.unit}", unit_size=unit.unit_size),
        shapes=tuple(shapes),
    )


def _turn_borders(canvas: Canvas, step: StepVerdict, gap_count: int) -> Iterator[tuple[int, str]]:
    per_turn = gap_count // step.turns
    for turn in range(1, step.turns):
        place = turn * per_turn + 0.5
        yield turn + 1, canvas.line([(place, canvas.y.low), (place, canvas.y.high)])
