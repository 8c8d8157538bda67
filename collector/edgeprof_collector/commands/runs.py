"""`edgeprof runs`: the runs that are stored."""

import sys

import msgspec
import typer
from rich.table import Table

from edgeprof_collector.commands.options import AsJson, CollectorUrl, client_of
from edgeprof_collector.terminal import Terminal


def runs(collector: CollectorUrl = "", as_json: AsJson = False) -> None:
    """List the runs that are stored, the latest first."""
    with client_of(collector) as client:
        summaries = client.runs()
    if as_json:
        sys.stdout.write(msgspec.json.encode(summaries).decode() + "\n")
        return
    if not summaries:
        typer.echo("no runs yet: edgeprof profile makes the first")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("run", "device", "model", "engine", "plan", "state"):
        table.add_column(heading, no_wrap=heading == "run", overflow="fold")
    for run in summaries:
        engine = f"{run.engine} {run.engine_version}"
        table.add_row(run.run_id, run.device_id, run.model, engine, run.plan, run.state.value)
    Terminal().print(table)
