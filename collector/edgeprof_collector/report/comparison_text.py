"""A comparison for a terminal, and as plain text where there is none."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from edgeprof_collector.analysis.comparison.gate import Ruling
from edgeprof_collector.analysis.comparison.result import Answer, Comparison
from edgeprof_collector.report.comparison_rows import (
    COLUMNS,
    LEGEND,
    answer_count_line,
    change_groups,
    difference_lines,
    output_lines,
    reason_lines,
    ruling_lines,
)
from edgeprof_collector.report.facts import clean

_NARROW_COLUMNS = ("Figure", "Base", "Candidate", "Change", "Answer")
_ANY_WIDTH = 1000
_STYLES = {Answer.BETTER: "green", Answer.WORSE: "bold red", Answer.NO_DIFFERENCE: "", Answer.CANNOT_TELL: "yellow"}


def comparison_text(comparison: Comparison, rulings: Sequence[Ruling]) -> RenderableType:
    """The comparison, for a terminal of 80 columns or more."""
    return Group(
        Text(),
        Padding(_facts(comparison), (0, 0, 1, 1)),
        Padding(_Changes(comparison), (0, 0, 1, 1)),
        Text(f" {answer_count_line(comparison)}", style="bold"),
        Padding(Text(LEGEND, style="dim"), (0, 0, 0, 1)),
        *_section("Output", output_lines(comparison)),
        *_section("Cannot tell", reason_lines(comparison)),
        *_section("Limits", ruling_lines(rulings)),
        *_section("Notes", [clean(note) for note in comparison.notes]),
    )


def _facts(comparison: Comparison) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Base", Text(clean(", ".join(comparison.base))))
    table.add_row("Candidate", Text(clean(", ".join(comparison.candidate))))
    for name, values in difference_lines(comparison):
        table.add_row(Text(name), Text(values))
    return table


class _Changes:
    """The changes as a table: a line for each figure where all columns fit, else three."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = _wide_table(self._comparison)
        needed = Measurement.get(console, options.update(width=_ANY_WIDTH), wide).maximum
        yield wide if needed <= options.max_width else _narrow_table(self._comparison)


def _wide_table(comparison: Comparison) -> Table:
    table = _table(COLUMNS)
    for title, rows in change_groups(comparison):
        table.add_row(Text(title, style="bold"))
        for row in rows:
            first, *numbers, answer = row.cells
            table.add_row(
                Text(f"  {first}"), *[Text(each) for each in numbers], Text(answer, style=_STYLES[row.answer])
            )
    return table


def _narrow_table(comparison: Comparison) -> Table:
    """What has no column of its own is below the change and the answer. A title may take several lines."""
    table = _table(_NARROW_COLUMNS)
    for title, rows in change_groups(comparison):
        table.add_row(Text(title, style="bold"))
        for row in rows:
            visible = f"visible from {row.visible}" if row.visible else ""
            table.add_row(
                Padding(Text(row.title), (0, 0, 0, 2)),
                Text(row.base),
                Text(row.candidate),
                Text("\n".join(each for each in (row.change, row.interval, visible) if each)),
                Text.assemble((row.answer.value, _STYLES[row.answer]), f"\nn {row.count}"),
            )
    return table


def _table(headings: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index in (0, len(headings) - 1) else "right", no_wrap=index > 0)
    return table


def _section(title: str, lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield Text(f"\n {title}", style="bold")
        for line in lines:
            yield Padding(Text(line), (0, 0, 0, 3))
