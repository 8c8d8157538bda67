"""A comparison as Markdown, for the comment on a pull request."""

from collections.abc import Iterable, Iterator, Sequence

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

_CHANGED = (Answer.BETTER, Answer.WORSE)
# What Markdown or HTML would take for its own; devices and engines write the names.
_ESCAPED = "\\`*_[]<>|#&@~"


def comparison_markdown(comparison: Comparison, rulings: Sequence[Ruling]) -> str:
    """The comparison as Markdown, ending in a newline."""
    return "\n".join(_lines(comparison, rulings)) + "\n"


def _lines(comparison: Comparison, rulings: Sequence[Ruling]) -> Iterator[str]:
    yield f"**edgeprof compare**: {answer_count_line(comparison)}"
    yield ""
    yield f"- base: {_plain(', '.join(comparison.base))}"
    yield f"- candidate: {_plain(', '.join(comparison.candidate))}"
    yield from (f"- {_plain(name)}: {_plain(values)}" for name, values in difference_lines(comparison))
    yield ""
    yield _row(("Step", *COLUMNS))
    yield _row(["---", "---", *["---:"] * (len(COLUMNS) - 2), "---"])
    for title, rows in change_groups(comparison):
        for row in rows:
            *cells, answer = (_plain(cell) for cell in row.cells)
            yield _row((_plain(title), *cells, f"**{answer}**" if row.answer in _CHANGED else answer))
    yield from _list("Limits", ruling_lines(rulings))
    yield from _list("Output", output_lines(comparison))
    yield from _list("Cannot tell", reason_lines(comparison))
    yield from _list("Notes", comparison.notes)
    yield ""
    yield f"<sub>{LEGEND}</sub>"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{title}:"
        yield ""
        yield from (f"- {_plain(line)}" for line in lines)


def _plain(text: str) -> str:
    return "".join(f"\\{character}" if character in _ESCAPED else character for character in clean(text))
