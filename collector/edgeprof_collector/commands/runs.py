"""`edgeprof runs`: the runs that are stored."""

import sys
from collections.abc import Sequence

import msgspec
import typer
from rich.table import Table

from edgeprof_collector.commands.options import AsJson, CollectorUrl, client_of
from edgeprof_collector.store.records import RunSummary
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
    console = Terminal(highlight=False)
    console.print(_table(summaries))
    if len(devices := {run.device_id for run in summaries}) == 1:
        console.print(f"\nAll of the device {devices.pop()}")


def _table(summaries: Sequence[RunSummary]) -> Table:
    """A row for each run. A device's id is half a terminal wide: it has a column where there are several."""
    several = len({run.device_id for run in summaries}) > 1
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("run", *(["device"] if several else []), "model", "engine", "plan", "state"):
        table.add_column(heading, no_wrap=heading == "run", overflow="fold")
    for run in summaries:
        device = [run.device_id] if several else []
        table.add_row(run.run_id, *device, run.model, f"{run.engine} {run.engine_version}", run.plan, run.state.value)
    return table
