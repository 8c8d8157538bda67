"""A comparison for a terminal, and as plain text where there is none."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
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

_STYLES = {Answer.BETTER: "green", Answer.WORSE: "bold red", Answer.NO_DIFFERENCE: "", Answer.CANNOT_TELL: "yellow"}


def comparison_text(comparison: Comparison, rulings: Sequence[Ruling]) -> RenderableType:
    """The comparison, for a terminal of 100 columns or more."""
    return Group(
        Text(),
        Padding(_facts(comparison), (0, 0, 1, 1)),
        Padding(_changes(comparison), (0, 0, 1, 1)),
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


def _changes(comparison: Comparison) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for index, heading in enumerate(COLUMNS):
        table.add_column(heading, justify="left" if index in (0, len(COLUMNS) - 1) else "right", no_wrap=index > 0)
    for title, rows in change_groups(comparison):
        table.add_row(Text(title, style="bold"))
        for row in rows:
            *cells, answer = row.cells
            first, *numbers = cells
            table.add_row(
                Text(f"  {first}"), *[Text(each) for each in numbers], Text(answer, style=_STYLES[row.answer])
            )
    return table


def _section(title: str, lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield Text(f"\n {title}", style="bold")
        for line in lines:
            yield Padding(Text(line), (0, 0, 0, 3))
