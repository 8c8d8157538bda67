"""`edgeprof show`: the verdict of a stored run."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from edgeprof_collector.client.judging import judge_run
from edgeprof_collector.commands.options import AsJson, CollectorUrl, RunId, client_of
from edgeprof_collector.commands.report_file import write_report
from edgeprof_collector.report.text import print_verdict
from edgeprof_collector.terminal import Terminal


def show(
    run: RunId = "latest",
    collector: CollectorUrl = "",
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the report page too.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the verdict of a stored run; with --output, write its report again."""
    with client_of(collector) as client:
        judged = judge_run(client, client.run(run))
    if as_json:
        sys.stdout.write(msgspec.json.encode(judged.verdict).decode() + "\n")
    else:
        print_verdict(judged.verdict, Terminal())
    if output is not None:
        typer.echo(f"Report: {write_report(judged, output)}", err=as_json)
