"""The figures of a verdict as rows of text, for terminal and page alike."""

from collections.abc import Collection
from dataclasses import dataclass

from edgeprof_collector.analysis.definitions import DEFINITIONS
from edgeprof_collector.analysis.quantity import figure_scale, scale_of
from edgeprof_collector.analysis.verdict import (
    AbsentFigure,
    Figure,
    FigureName,
    Flag,
    Interval,
    Percentile,
    StepVerdict,
    Verdict,
)
from edgeprof_collector.report.facts import clean

TOO_FEW = "n < 5"
GAP_FORMULA = "percentile of the gaps between consecutive tokens, all repetitions pooled"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """A figure in words. ``interval`` says so when there are too few repetitions for one."""

    title: str
    scope: str = ""
    value: str
    interval: str
    quartiles: str
    n: str
    formula: str
    flags: tuple[Flag, ...]


def figure_row(figure: Figure) -> FigureRow:
    """A figure as a row."""
    scale = figure_scale(figure)
    return FigureRow(
        title=figure_title(figure),
        scope=clean(figure.scope),
        value=scale.text(figure.median),
        interval=scale.range(figure.interval) if figure.interval else TOO_FEW,
        quartiles=scale.range(Interval(figure.first_quartile, figure.third_quartile)),
        n=str(figure.n),
        formula=figure.formula,
        flags=figure.flags,
    )


def percentile_row(percentile: Percentile, gap_count: int) -> FigureRow:
    """A percentile of token gaps as a row; its n are gaps."""
    spread = percentile.interval.high - percentile.interval.low if percentile.interval else 0.0
    scale = scale_of(percentile.seconds, "s", spread)
    return FigureRow(
        title=f"token gap p{percentile.ratio * 100:.0f}",
        value=scale.text(percentile.seconds),
        interval=scale.range(percentile.interval) if percentile.interval else TOO_FEW,
        quartiles="",
        n=f"{gap_count:,} gaps",
        formula=GAP_FORMULA,
        flags=(),
    )


def figure_title(figure: Figure | AbsentFigure) -> str:
    """The figure's short name, with the turn that it is of."""
    title = DEFINITIONS[figure.name].short_title
    return title if figure.turn is None else f"{title}, turn {figure.turn + 1}"


def widest_rail(verdict: Verdict) -> str:
    """The rail that counted the most joules in the run, the one to show where there is room for one; empty: none."""
    return verdict.energy_rails[0].scope if verdict.energy_rails else ""


def step_title(step: StepVerdict, verdict: Verdict) -> str:
    """The step's name, with its variant where the run has several."""
    return f"{step.name} · {step.variant_name}" if len(verdict.variants) > 1 else step.name


def flag_lines(verdict: Verdict) -> tuple[str, ...]:
    """One line per flag: how many repetitions it touches, in which steps, and an example of the evidence.

    Synthetic is left to the model's own line.
    """
    lines = []
    repetition_count = sum(len(step.repetitions) for step in verdict.steps)
    for flag in Flag:
        steps, repetitions = _raised(verdict, flag)
        evidence = steps + repetitions
        if evidence:
            touched = f"{len(repetitions)} of {repetition_count} repetitions, in " if repetitions else ""
            names = list(dict.fromkeys(title for title, _ in evidence))
            where = "every step" if len(names) == len(verdict.steps) > 1 else ", ".join(names)
            title, example = evidence[0]
            lines.append(f"{flag.value}: {touched}{where}; such as {title}: {example}")
    return tuple(lines)


def absent_lines(verdict: Verdict) -> tuple[str, ...]:
    """One line per figure that could not be had and reason, with the steps that lack it."""
    steps_by_reason: dict[str, list[str]] = {}
    for step in verdict.steps:
        for absent in step.absent:
            scope = f" ({absent.scope})" if absent.scope else ""
            steps = steps_by_reason.setdefault(f"{figure_title(absent)}{scope}: {absent.reason}", [])
            steps.append(step_title(step, verdict))
    return tuple(f"{reason} [{', '.join(steps)}]" for reason, steps in steps_by_reason.items())


def shown_formulas(verdict: Verdict, left_out: Collection[FigureName] = ()) -> tuple[tuple[str, str], ...]:
    """Short title and formula of each figure that the verdict's steps have, in the order of their definition."""
    used: dict[FigureName, dict[str, None]] = {}
    for step in verdict.steps:
        for figure in step.figures:
            used.setdefault(figure.name, {})[figure.formula] = None
    formulas = [
        (definition.short_title, formula)
        for name, definition in DEFINITIONS.items()
        if name not in left_out
        for formula in used.get(name, {})
    ]
    if any(step.token_gaps for step in verdict.steps):
        formulas.append(("token gap", GAP_FORMULA))
    return tuple(formulas)


def _raised(verdict: Verdict, flag: Flag) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Step title and evidence of a flag, wherever it was raised: for whole steps, and for single repetitions."""
    steps, repetitions = [], []
    for step in verdict.steps:
        title = step_title(step, verdict)
        steps += [(title, raised.evidence) for raised in step.flags if raised.flag is flag]
        for repetition in step.repetitions:
            evidence = [raised.evidence for raised in repetition.flags if raised.flag is flag]
            repetitions += [(title, each) for each in evidence[:1]]
    return steps, repetitions
