"""`edgeprof plan`: which plans there are, what one does, and whether one of your own is right."""

import subprocess
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from edgeprof.errors import EdgeprofError
from edgeprof.estimate import PlanEstimate
from edgeprof.plan import Plan
from edgeprof.plan_file import built_in_plan, built_in_plan_names, check_plan, find_plan
from edgeprof_collector.profile.programs import installed_program
from edgeprof_collector.report.plan_text import print_plan, repetitions_text
from edgeprof_collector.terminal import Terminal

EXIT_WRONG = 1

plan = typer.Typer(no_args_is_help=True, help="The plans that ship with edgeprof, and your own.")

_NameOrPath = Annotated[str, typer.Argument(metavar="PLAN", help="A built-in plan, or a TOML file.")]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="A plan in TOML.")]


@plan.command("list")
def list_plans() -> None:
    """List the plans that ship with edgeprof."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("plan", "steps", "repetitions", "what it is for"):
        table.add_column(heading, no_wrap=heading == "plan", overflow="fold")
    for name in built_in_plan_names():
        shipped = built_in_plan(name)
        table.add_row(name, str(len(shipped.steps)), repetitions_text(shipped), shipped.description)
    Terminal(highlight=False).print(table)


@plan.command("show")
def show_plan(
    name: _NameOrPath,
    model: Annotated[
        str, typer.Option(metavar="SHAPE", help="A synthetic shape.", show_default="one that fits this device")
    ] = "",
    engine: Annotated[str, typer.Option(help="An engine.")] = "llama-cpp-python",
) -> None:
    """Show what a plan does, step by step, and how long it will take on this device."""
    chosen = find_plan(name)
    print_plan(chosen, _ask_the_agent(chosen, model, engine), Terminal(highlight=False))


def _ask_the_agent(chosen: Plan, model: str, engine: str) -> PlanEstimate:
    """What `edgeprof-agent estimate` says, which measures the memory bandwidth if nobody has since the last boot."""
    answer = subprocess.run(
        [*installed_program("edgeprof-agent"), "estimate", "--model", model, "--engine", engine],
        input=msgspec.json.encode(chosen),
        capture_output=True,
        check=False,
    )
    if answer.returncode:
        lines = answer.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise EdgeprofError(lines[-1].removeprefix("edgeprof-agent: "))
    return msgspec.json.decode(answer.stdout, type=PlanEstimate)


@plan.command("check")
def check(file: _File) -> None:
    """Check a plan: a line for every key that is wrong, with its place and what was expected."""
    lines = check_plan(file)
    for line in lines:
        typer.echo(line)
    if lines:
        raise typer.Exit(EXIT_WRONG)
    typer.echo(f"{file}: a plan without fault")
