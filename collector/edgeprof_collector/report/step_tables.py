"""Each step's figures and repetitions as rows of text."""

from dataclasses import dataclass

from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import Repetition, StepVerdict, Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.rows import FigureRow, figure_row, percentile_row, step_title

REPETITION_COLUMNS = (
    "Repetition",
    "Began at",
    "Took",
    "Temperature",
    "CPU clock",
    "GPU clock",
    "Other CPU use",
    "Flags",
)


@dataclass(frozen=True, slots=True)
class StepTable:
    """All figures of a step, and what each repetition was taken at, in the order of ``REPETITION_COLUMNS``."""

    title: str
    rows: tuple[FigureRow, ...]
    repetitions: tuple[tuple[str, ...], ...]


def step_tables(verdict: Verdict, start_monotonic_ns: int) -> list[StepTable]:
    """A table per step and variant. Repetitions began so many seconds after ``start_monotonic_ns``."""
    return [_step_table(step, verdict, start_monotonic_ns) for step in verdict.steps]


def _step_table(step: StepVerdict, verdict: Verdict, start_ns: int) -> StepTable:
    rows = [figure_row(figure) for figure in step.figures]
    if step.token_gaps:
        rows += [percentile_row(each, step.token_gaps.gap_count) for each in step.token_gaps.percentiles]
    return StepTable(
        title=clean(step_title(step, verdict)),
        rows=tuple(rows),
        repetitions=tuple(_repetition_cells(repetition, start_ns) for repetition in step.repetitions),
    )


def _repetition_cells(repetition: Repetition, start_ns: int) -> tuple[str, ...]:
    conditions = repetition.conditions
    celsius = conditions.temperature_celsius
    flags = [f"{raised.flag.value}: {raised.evidence}" for raised in repetition.flags]
    if not repetition.complete:
        flags.append("cut short")
    return (
        str(repetition.index + 1),
        f"{(repetition.start_monotonic_ns - start_ns) / 1e9:.1f} s",
        text_of((repetition.end_monotonic_ns - repetition.start_monotonic_ns) / 1e9, "s"),
        "" if celsius is None else f"{celsius:.1f} °C, {clean(conditions.temperature_place)}",
        _text(conditions.cpu_clock_hertz, "hertz"),
        _text(conditions.gpu_clock_hertz, "hertz"),
        _text(conditions.background_cpu_ratio, "ratio"),
        clean("; ".join(flags)),
    )


def _text(value: float | None, unit: str) -> str:
    return "" if value is None else text_of(value, unit)
