"""The verdict for a terminal, and as plain text where there is none.

Everything from a device enters as ``rich.text.Text``, never as markup, and without control characters.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from edgeprof.run import RunState
from edgeprof_collector.analysis.placement import CPU
from edgeprof_collector.analysis.quantity import scale_of, text_of
from edgeprof_collector.analysis.verdict import Conditions, FigureName, Finding, Flag, Severity, StepVerdict, Verdict
from edgeprof_collector.report.facts import clean, device_line, engine_line, model_line
from edgeprof_collector.report.fidelity_lines import fidelity_lines, perplexity_lines, tasks_lines
from edgeprof_collector.report.resources import resource_lines
from edgeprof_collector.report.rows import (
    GAP_FORMULA,
    FigureRow,
    absent_lines,
    figure_row,
    flag_lines,
    shown_formulas,
    step_title,
    widest_rail,
)

_COLUMNS = ("Figure", "Median", "95 % interval", "Quartiles", "n ")
_LEFT_TO_THE_PAGE = {FigureName.E2E_LATENCY, FigureName.ITL}
_ENERGIES = (FigureName.PREFILL_ENERGY, FigureName.DECODE_ENERGY)
_MARKS = {
    Severity.INVALID: ("✗", "bold red"),
    Severity.WARNING: ("!", "bold yellow"),
    Severity.NOTE: ("·", "cyan"),
}


def print_verdict(verdict: Verdict, console: Console) -> None:
    """Print the verdict."""
    console.print(verdict_text(verdict))


def verdict_text(verdict: Verdict) -> RenderableType:
    """The verdict, for a terminal of 80 columns or more."""
    return Group(
        *_head(verdict),
        *_steps(verdict),
        Padding(_pairs(resource_lines(verdict)), (1, 0, 0, 1)),
        *_section("Fidelity", fidelity_lines(verdict)),
        *_section("Tasks", tasks_lines(verdict)),
        *_section("Perplexity", perplexity_lines(verdict)),
        *_findings(verdict),
        *_section("Flags", flag_lines(verdict), "yellow"),
        *_section("Not given", absent_lines(verdict)),
        *_section("Notes", verdict.notes),
        *_formulas(verdict),
    )


def _head(verdict: Verdict) -> Iterator[RenderableType]:
    yield Text()
    if verdict.state is not RunState.SUCCEEDED:
        state = "not finished" if verdict.state is RunState.RUNNING else verdict.state.value
        yield Text.assemble((f" {state.upper()} ", "bold white on red"), " ", (clean(verdict.cause), "red"))
        yield Text()
    yield Padding(Text(clean(verdict.headline), style="bold"), (0, 0, 0, 1))
    yield Text()
    model = Text(f"{clean(verdict.model.name)}: {model_line(verdict.model)}")
    if verdict.model.synthetic:
        model.append("  synthetic", style="bold magenta")
    when = f"plan {verdict.plan_name}, {verdict.repetition_count} repetitions, {text_of(verdict.duration_seconds, 's')}"
    lines = [
        ("Model", model),
        ("Device", Text(f"{clean(verdict.device.hostname)}: {device_line(verdict.device)}")),
        ("Engine", Text(engine_line(verdict.engine))),
        ("Run", Text(f"{clean(verdict.run_id)}: {clean(when)}")),
    ]
    yield Padding(_pairs(lines), (0, 0, 1, 1))


def _steps(verdict: Verdict) -> Iterator[RenderableType]:
    if not verdict.steps:
        return
    rail = widest_rail(verdict)
    rows_by_step = [[_cells(row) for row in _essential_rows(step, rail)] for step in verdict.steps]
    header = tuple(Text(name, style="bold") for name in _COLUMNS)
    every_row = [header, *chain.from_iterable(rows_by_step)]
    widths = [max(cell.cell_len for cell in column) for column in zip(*every_row, strict=True)]
    yield _aligned([header], widths)
    yield Text(f" {'─' * (sum(widths) + 8)}", style="dim")
    for step, rows in zip(verdict.steps, rows_by_step, strict=True):
        title = Text(f" {clean(step_title(step, verdict))}", style="bold cyan")
        title.append(_conditions(step), style="dim not bold")
        yield title.append("  synthetic" if verdict.model.synthetic else "", style="magenta not bold")
        yield _aligned(rows, widths)


def _aligned(rows: Iterable[tuple[Text, ...]], widths: Sequence[int]) -> RenderableType:
    """Rows of a step, in columns that are as wide in every step."""
    grid = Table.grid(padding=(0, 2))
    for index, width in enumerate(widths):
        grid.add_column(width=width, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*row)
    return Padding(grid, (0, 0, 0, 1))


def _essential_rows(step: StepVerdict, rail: str) -> Iterator[FigureRow]:
    """What fits a terminal: a turn's latencies by its first token, gaps in one row, energy of one rail."""
    for figure in step.figures:
        whole = figure.turn is None or figure.name is FigureName.TTFT
        if figure.name is FigureName.ITL:
            yield from _gap_row(step)
        elif figure.name not in _LEFT_TO_THE_PAGE and whole and (figure.name not in _ENERGIES or figure.scope == rail):
            yield figure_row(figure)


def _gap_row(step: StepVerdict) -> Iterator[FigureRow]:
    gaps = step.token_gaps
    if gaps is None or not gaps.percentiles:
        return
    scale = scale_of(gaps.percentiles[0].seconds, "s")
    names = "/".join(f"{each.ratio * 100:.0f}" for each in gaps.percentiles)
    values = "/".join(scale.three_digits(each.seconds) for each in gaps.percentiles)
    yield FigureRow(
        title=f"token gap p{names}",
        value=f"{values} {scale.unit}",
        interval="",
        quartiles="",
        n=str(len(step.repetitions)),
        formula=GAP_FORMULA,
        flags=(),
    )


def _cells(row: FigureRow) -> tuple[Text, ...]:
    """A row's cells; its n is marked where a flag was raised that the Flags section explains."""
    number, _, unit = row.value.partition(" ")
    flagged = any(flag is not Flag.SYNTHETIC for flag in row.flags)
    return (
        Text(f"  {row.title}"),
        Text.assemble((number, "bold"), " ", (unit, "dim")),
        Text(row.interval),
        Text(row.quartiles, style="dim"),
        Text.assemble(row.n, ("*", "bold yellow") if flagged else " "),
    )


def _conditions(step: StepVerdict) -> str:
    """Temperature and clock over the step's repetitions, from lowest to highest."""
    conditions = [repetition.conditions for repetition in step.repetitions]
    celsius = [each.temperature_celsius for each in conditions if each.temperature_celsius is not None]
    clocks = [clock for each in conditions if (clock := _clock_hertz(step, each)) is not None]
    watts = [each.power_watts for each in conditions if each.power_watts is not None]
    parts = []
    if celsius:
        low, high = f"{min(celsius):.0f}", f"{max(celsius):.0f}"
        parts.append(f"{low} °C" if low == high else f"{low}–{high} °C")  # noqa: RUF001 - an en dash is meant
    if clocks:
        parts.append(text_of(sum(clocks) / len(clocks), "hertz"))
    if watts:
        parts.append(text_of(sum(watts) / len(watts), "W"))
    return f"  at {', '.join(parts)}" if parts else ""


def _clock_hertz(step: StepVerdict, conditions: Conditions) -> float | None:
    """The clock of the processor that ran the step: a GPU's, if it is known to have run it."""
    return conditions.cpu_clock_hertz if step.processor in (None, CPU) else conditions.gpu_clock_hertz


def _findings(verdict: Verdict) -> Iterator[RenderableType]:
    if verdict.findings:
        yield Text("\n Findings", style="bold")
        yield from (Padding(_finding(finding), (0, 0, 0, 1)) for finding in verdict.findings)


def _finding(finding: Finding) -> Table:
    mark, style = _MARKS[finding.severity]
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), Text(clean(finding.title), style=style))
    grid.add_row("", Text(clean(finding.evidence)))
    grid.add_row("", Text(f"→ {clean(finding.advice)}", style="italic"))
    grid.add_row("", Text(finding.name.page, style="dim"))
    return grid


def _section(title: str, lines: Iterable[str], style: str = "") -> Iterator[RenderableType]:
    shown = list(lines)
    if shown:
        yield Text(f"\n {title}", style="bold")
        yield from (Padding(Text(clean(line), style=style), (0, 0, 0, 3)) for line in shown)


def _formulas(verdict: Verdict) -> Iterator[RenderableType]:
    formulas = shown_formulas(verdict, _LEFT_TO_THE_PAGE)
    if formulas:
        yield Text("\n Formulas", style="bold")
        lines = [(title, Text(formula, style="dim")) for title, formula in formulas]
        yield Padding(_pairs(lines), (0, 0, 0, 3))


def _pairs(lines: Iterable[tuple[str, Text | str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, content in lines:
        grid.add_row(name, content if isinstance(content, Text) else Text(clean(content)))
    return grid
