"""Each step's figures and repetitions as rows of text."""

from dataclasses import dataclass

from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import Repetition, StepVerdict, Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.rows import FigureRow, figure_row, percentile_row, step_title


@dataclass(frozen=True, slots=True)
class StepTable:
    """All figures of a step, and what each repetition was taken at, in columns that have something in the run."""

    title: str
    rows: tuple[FigureRow, ...]
    columns: tuple[str, ...]
    repetitions: tuple[tuple[str, ...], ...]


def step_tables(verdict: Verdict, start_monotonic_ns: int) -> list[StepTable]:
    """A table per step and variant. Repetitions began so many seconds after ``start_monotonic_ns``."""
    return [_step_table(step, verdict, start_monotonic_ns) for step in verdict.steps]


def _step_table(step: StepVerdict, verdict: Verdict, start_ns: int) -> StepTable:
    rows = [figure_row(figure) for figure in step.figures]
    if step.token_gaps:
        rows += [percentile_row(each, step.token_gaps.gap_count) for each in step.token_gaps.percentiles]
    cells = [_repetition_cells(repetition, start_ns) for repetition in step.repetitions]
    names = tuple(name for name in (cells[0] if cells else ()) if any(row[name] for row in cells))
    sources = _sources(step)
    return StepTable(
        title=clean(step_title(step, verdict)),
        rows=tuple(rows),
        columns=tuple(f"{name}: {sources[name]}" if sources.get(name) else name for name in names),
        repetitions=tuple(tuple(row[name] for name in names) for row in cells),
    )


def _sources(step: StepVerdict) -> dict[str, str]:
    """What a column's values are of, or how they are known: the same in all repetitions that have one."""
    conditions = [repetition.conditions for repetition in step.repetitions]
    return {
        "Power": clean(next((each.power_scope for each in conditions if each.power_scope), "")),
        "Memory traffic": clean(
            next((each.memory_traffic_source for each in conditions if each.memory_traffic_source), "")
        ).replace("_", " "),
    }


def _repetition_cells(repetition: Repetition, start_ns: int) -> dict[str, str]:
    """What a repetition was taken at, by column."""
    conditions = repetition.conditions
    celsius = conditions.temperature_celsius
    flags = [f"{raised.flag.value}: {raised.evidence}" for raised in repetition.flags]
    if not repetition.complete:
        flags.append("cut short")
    return {
        "Repetition": str(repetition.index + 1),
        "Began at": f"{(repetition.start_monotonic_ns - start_ns) / 1e9:.1f} s",
        "Took": text_of((repetition.end_monotonic_ns - repetition.start_monotonic_ns) / 1e9, "s"),
        "Temperature": "" if celsius is None else f"{celsius:.1f} °C, {clean(conditions.temperature_place)}",
        "CPU clock": _text(conditions.cpu_clock_hertz, "hertz"),
        "GPU clock": _text(conditions.gpu_clock_hertz, "hertz"),
        "Power": _text(conditions.power_watts, "W"),
        "Memory traffic": conditions.memory_traffic_missing
        or _text(conditions.memory_traffic_bytes_per_second, "bytes/s"),
        "Other CPU use": _text(conditions.background_cpu_ratio, "ratio"),
        "Disk page faults": str(conditions.major_page_fault_count or ""),
        "Flags": clean("; ".join(flags)),
    }


def _text(value: float | None, unit: str) -> str:
    return "" if value is None else text_of(value, unit)
