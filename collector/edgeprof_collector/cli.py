"""The people's command, `edgeprof`."""

import sys
from typing import Annotated

import typer

from edgeprof import __version__
from edgeprof.errors import EdgeprofError
from edgeprof_collector.commands.audit import audit
from edgeprof_collector.commands.backup import backup, restore
from edgeprof_collector.commands.baseline import baseline
from edgeprof_collector.commands.bisect import bisect
from edgeprof_collector.commands.collector import collector
from edgeprof_collector.commands.compare import compare
from edgeprof_collector.commands.devices import devices
from edgeprof_collector.commands.engines import engines
from edgeprof_collector.commands.export import export
from edgeprof_collector.commands.imports import imports
from edgeprof_collector.commands.jobs import cancel, jobs
from edgeprof_collector.commands.plan import plan
from edgeprof_collector.commands.profile import profile
from edgeprof_collector.commands.run import run
from edgeprof_collector.commands.runs import runs
from edgeprof_collector.commands.show import show
from edgeprof_collector.commands.tokens import token
from edgeprof_collector.commands.watch import watch
from edgeprof_collector.printable import printable

EXIT_BAD_INPUT = 2

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
COMMANDS = (
    profile,
    runs,
    show,
    compare,
    bisect,
    export,
    engines,
    run,
    jobs,
    watch,
    cancel,
    collector,
    backup,
    restore,
    audit,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(imports, name="import")
app.add_typer(baseline, name="baseline")
app.add_typer(plan, name="plan")
app.add_typer(token, name="token")
app.add_typer(devices, name="devices")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edgeprof {__version__}")
        raise typer.Exit


@app.callback()
def edgeprof(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Profile language models on the device you own: how fast, how hot, how much memory, and what limits them."""


def main() -> None:
    """Run the command; an error that a person can put right becomes one line and status 2."""
    try:
        app()
    except EdgeprofError as error:
        sys.stderr.write(f"edgeprof: {printable(str(error))}\n")
        sys.exit(EXIT_BAD_INPUT)
