"""`edgeprof baseline`: the runs that new runs are held against."""

import sys
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from edgeprof_collector.commands.options import AsJson, CollectorUrl, client_of
from edgeprof_collector.printable import printable
from edgeprof_collector.terminal import Terminal

baseline = typer.Typer(no_args_is_help=True, help="The runs that new ones of the same plan and model are held against.")

_Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its first characters, or 'latest'.")]


@baseline.command("set")
def set_baseline(run: _Run, collector: CollectorUrl = "") -> None:
    """Hold new runs of the same plan, model and class of device against this one; keep it however old it grows."""
    with client_of(collector) as client:
        marked = client.set_baseline(run, is_baseline=True)
    typer.echo(printable(f"{marked.run_id} is a baseline for plan {marked.plan} and {marked.model}"))


@baseline.command("remove")
def remove_baseline(run: _Run, collector: CollectorUrl = "") -> None:
    """Make it a run like any other again."""
    with client_of(collector) as client:
        marked = client.set_baseline(run, is_baseline=False)
    typer.echo(f"{marked.run_id} is no baseline")


@baseline.command("list")
def list_baselines(collector: CollectorUrl = "", as_json: AsJson = False) -> None:
    """List the baselines, the latest first."""
    with client_of(collector) as client:
        marked = [run for run in client.runs() if run.is_baseline]
    if as_json:
        sys.stdout.write(msgspec.json.encode(marked).decode() + "\n")
        return
    if not marked:
        typer.echo("no baselines yet: edgeprof baseline set RUN makes one")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("run", "device", "model", "plan", "engine"):
        table.add_column(heading, no_wrap=heading == "run", overflow="fold")
    for run in marked:
        table.add_row(run.run_id, run.device_id, run.model, run.plan, f"{run.engine} {run.engine_version}")
    Terminal().print(table)
