"""A comparison in words: for a terminal and for a pull request."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.gate import read_limits, rule
from edgeprof_collector.analysis.comparison.result import Comparison
from edgeprof_collector.report.comparison_markdown import comparison_markdown
from edgeprof_collector.report.comparison_rows import change_groups
from edgeprof_collector.report.comparison_text import comparison_text
from tests.collector.analysis.comparison.sides import run_of

STEADY = (100.0, 100.4, 99.7, 100.1, 99.9, 100.2, 99.8, 100.3)
HOSTILE = "9\x1b[31m|`<img>"


def _comparison() -> Comparison:
    base = run_of([STEADY, STEADY[:3]], "base")
    other = run_of([[value * 0.9 for value in STEADY], STEADY[:3]], "candidate")
    engine = replace(other.verdict.engine, version=HOSTILE)
    return compare([base], [replace(other, verdict=replace(other.verdict, engine=engine))])


def _written(width: int) -> str:
    console = Console(file=StringIO(), width=width)
    comparison = _comparison()
    console.print(comparison_text(comparison, rule(comparison, read_limits("decode:-3%,energy"))))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.parametrize("width", [80, 160])
def test_every_number_is_shown_whole_whatever_the_width(width: int) -> None:
    text = _written(width)
    (row,) = next(rows for _, rows in change_groups(_comparison()))

    assert "…" not in text
    assert all(cell in text for cell in (row.base, row.candidate, row.change, row.interval, row.visible))
    assert (f"n {row.count}" in text) is (width == 80)
    assert all(len(line) <= width for line in text.splitlines())


def test_text() -> None:
    text = _written(120)

    assert "\x1b" not in text
    for part in ("-10.0 %", "worse", "cannot tell", "values on each side: 3", "decode:-3%: broken: decode 8 @ 0"):
        assert part in text
    assert "energy: cannot tell: the runs have no such figure in common" in " ".join(text.split())


def test_markdown() -> None:
    comparison = _comparison()
    text = comparison_markdown(comparison, rule(comparison, read_limits("decode:-3%")))

    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) == 2 + 2
    assert {line.replace("\\|", "").count("|") for line in tables} == {10}
    assert "| -10.0 % |" in tables[2]
    assert "**worse**" in tables[2]
    assert "\\<img\\>" in text
    assert "<img" not in text.replace("\\<img", "")
