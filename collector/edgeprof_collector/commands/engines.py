"""`edgeprof engines`: which engines can be used on this device, and how to install the others."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edgeprof.engine import EngineReport
from edgeprof.errors import EdgeprofError
from edgeprof_collector.commands.options import AsJson
from edgeprof_collector.profile.programs import installed_program
from edgeprof_collector.terminal import Terminal


def engines(
    python: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Look in this interpreter; may be repeated.", show_default="the agent's own"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the engines: which can be used on this device, and how to install the others."""
    found = _ask_the_agent(python or ())
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        _print(found, Terminal(highlight=False))
    raise typer.Exit(0 if any(not report.missing for report in found) else 1)


def _ask_the_agent(pythons: Sequence[str]) -> list[EngineReport]:
    """What `edgeprof-agent engines` says, which starts every engine once."""
    options = [part for python in pythons for part in ("--python", python)]
    answer = subprocess.run(
        [*installed_program("edgeprof-agent"), "engines", "--json", *options], capture_output=True, check=False
    )
    try:
        return msgspec.json.decode(answer.stdout, type=list[EngineReport])
    except msgspec.DecodeError as error:
        lines = answer.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise EdgeprofError(f"edgeprof-agent engines ended with status {answer.returncode}: {lines[-1]}") from error


def _print(found: Sequence[EngineReport], console: Console) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("engine", "version and build, or what is missing"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "engine")
    several = len({report.python for report in found if report.python}) > 1
    for report in found:
        version = f"{report.version}, Python {report.python_version}" if report.python_version else report.version
        lines = (version, report.python if several else "", report.build or report.missing)
        table.add_row(report.name, Text("\n".join(line for line in lines if line)))  # brackets are no markup
    console.print(table)
