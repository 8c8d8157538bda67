"""`edgeprof compare`: what changed from some runs to others, and a status for CI."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import msgspec
import typer

from edgeprof_collector.analysis.comparison.compare import compare as compare_runs
from edgeprof_collector.analysis.comparison.gate import Outcome, Ruling, read_limits, rule
from edgeprof_collector.analysis.comparison.result import Comparison
from edgeprof_collector.analysis.thresholds import NO_DIFFERENCE_RATIO
from edgeprof_collector.commands.options import CollectorUrl, client_of
from edgeprof_collector.commands.sides import read_side
from edgeprof_collector.report.comparison_markdown import comparison_markdown
from edgeprof_collector.report.comparison_text import comparison_text
from edgeprof_collector.terminal import Terminal

EXIT_BROKEN = 1
EXIT_CANNOT_TELL = 3

_SIDE = "A run, RUN:VARIANT, an exported FILE.json, several with commas between, or KEY=VALUE,..."


class Format(str, Enum):
    """How a comparison is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Compared:
    """What is written as JSON."""

    comparison: Comparison
    limits: tuple[Ruling, ...]


def compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help=_SIDE)],
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="Likewise.")] = "latest",
    fail_on: Annotated[
        str, typer.Option(metavar="LIMITS", help="What ends with status 1, such as decode:-3%,energy:+5%,fidelity.")
    ] = "",
    across: Annotated[bool, typer.Option("--across", help="Compare different devices, models or plans too.")] = False,
    no_difference: Annotated[
        float, typer.Option(metavar="PERCENT", min=0.1, max=50, help="Up to how much counts as no difference.")
    ] = 100 * NO_DIFFERENCE_RATIO,
    form: Annotated[Format, typer.Option("--format", help="Text, JSON, or Markdown for a comment.")] = Format.TEXT,
    collector: CollectorUrl = "",
) -> None:
    """Say what changed from BASE to CANDIDATE, by how much, and what could not be told.

    Status 0: no limit is broken. 1: one is. 2: the runs cannot be compared. 3: whether one is broken cannot be told.
    """
    limits = read_limits(fail_on)
    with client_of(collector) as client:
        sides = read_side(client, base), read_side(client, candidate)
    comparison = compare_runs(*sides, across=across, no_difference_ratio=no_difference / 100)
    rulings = rule(comparison, limits)
    if form is Format.JSON:
        sys.stdout.write(msgspec.json.encode(Compared(comparison, rulings)).decode() + "\n")
    elif form is Format.MARKDOWN:
        sys.stdout.write(comparison_markdown(comparison, rulings))
    else:
        Terminal().print(comparison_text(comparison, rulings))
    raise typer.Exit(_status(rulings))


def _status(rulings: Sequence[Ruling]) -> int:
    outcomes = {ruling.outcome for ruling in rulings}
    if Outcome.BROKEN in outcomes:
        return EXIT_BROKEN
    return EXIT_CANNOT_TELL if Outcome.CANNOT_TELL in outcomes else 0
