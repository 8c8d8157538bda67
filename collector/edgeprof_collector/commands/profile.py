"""`edgeprof profile`: profile a model on this device, print the verdict, write a report."""

import shlex
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgeprof.errors import EdgeprofError
from edgeprof.folders import data_folder
from edgeprof.job import JobState
from edgeprof.plan import Plan
from edgeprof.plan_file import find_plan, with_sweep
from edgeprof_collector.client.judging import judge_run
from edgeprof_collector.commands.options import AsJson
from edgeprof_collector.commands.report_file import make_report_folder, write_report
from edgeprof_collector.profile.display import JsonDisplay, choose_display
from edgeprof_collector.profile.session import Profiled, Session, open_session, run_profile
from edgeprof_collector.report.text import print_verdict
from edgeprof_collector.terminal import Terminal

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def profile(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A GGUF file, hf:OWNER/REPOSITORY/FILE, or a synthetic shape such as synth:llama-3.2-1b@q4_0.",
            show_default="a shape that fits this device",
        ),
    ] = "",
    engine: Annotated[
        str, typer.Option(help="An engine, a server, or a program that speaks its protocol.")
    ] = "llama-cpp-python",
    python: Annotated[str, typer.Option(help="The interpreter that has the engine.", show_default="this one")] = "",
    agent_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The agent's configuration.", show_default="none")
    ] = None,
    plan: Annotated[str, typer.Option(help="A built-in plan, or a TOML file.")] = "quick",
    sweep: Annotated[
        list[str] | None,
        typer.Option(metavar="OPTION=VALUE,...", help="Values of an engine's option to compare; may be repeated."),
    ] = None,
    repetitions: Annotated[int | None, typer.Option(min=1, help="Repetitions.", show_default="the plan's")] = None,
    fresh_processes: Annotated[
        bool | None,
        typer.Option(
            "--fresh-processes/--no-fresh-processes",
            help="Begin each repetition with new processes of the engine.",
            show_default="the plan's",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the report goes.", show_default="the data folder")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the collector up afterwards, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Profile a model on this device: run it, print the verdict, write a report."""
    chosen = _chosen_plan(plan, repetitions, sweep or ())
    if fresh_processes is not None:
        chosen = replace(chosen, fresh_processes=fresh_processes)
    reports = output or data_folder() / "reports"
    make_report_folder(reports)
    display = choose_display(Terminal(), as_json=as_json)
    pythons = {each for each in (python, *(variant.python for variant in chosen.variants)) if each}
    with open_session(engine, sorted(pythons), agent_config) as session:
        if serve:
            display.say(f"metrics: {session.collector.ready['http']}/metrics")
        with display:
            profiled = run_profile(session, display, plan=chosen, model=_absolute(model), engine=engine, python=python)
        status = _conclude(session, profiled, reports, display.say, as_json=as_json)
        if serve and not profiled.interrupted:
            _serve_until_interrupted(display.say)
    raise typer.Exit(status)


def _chosen_plan(name: str, repetitions: int | None, sweep: Sequence[str]) -> Plan:
    """The plan with what the command line has to say; so many repetitions and no more, if it says how many."""
    plan = find_plan(name)
    if sweep:
        plan = with_sweep(plan, dict(_option_and_values(text) for text in sweep))
    return plan if repetitions is None else replace(plan, repetitions=repetitions, until=None)


def _option_and_values(text: str) -> tuple[str, tuple[str, ...]]:
    option, equals, values = text.partition("=")
    if not option or not equals or not all(values.split(",")):
        raise EdgeprofError(f"--sweep '{text}': expected an option and its values, such as threads=1,2,4")
    return option, tuple(values.split(","))


def _absolute(model: str) -> str:
    """A path as the agent must be told it; it may work in another folder."""
    return model if not model or model.startswith(("synth:", "hf:")) else str(Path(model).expanduser().absolute())


def _conclude(session: Session, profiled: Profiled, folder: Path, say: Callable[[str], None], *, as_json: bool) -> int:
    """Print what came of the job, write the report, and return the exit status."""
    if profiled.record is None:
        if profiled.interrupted:
            return EXIT_INTERRUPTED
        raise EdgeprofError(profiled.status.reason or f"the job ended as {profiled.status.state.value}")
    judged = judge_run(session.client, profiled.record)
    if as_json:
        JsonDisplay(sys.stdout).write("verdict", judged.verdict)
    else:
        print_verdict(judged.verdict, Terminal())
    say(f"Report: {write_report(judged, folder)}")
    run_id, variants = profiled.record.started.run_id, profiled.record.started.plan.variants
    say(f"Again:  edgeprof show {run_id}")
    if len(variants) > 1:
        sides = [shlex.quote(f"{run_id}:{variant.name}") for variant in variants[:2]]
        say(f"Compare: edgeprof compare {' '.join(sides)}")
    if profiled.interrupted:
        return EXIT_INTERRUPTED
    return 0 if profiled.status.state is JobState.SUCCEEDED else EXIT_FAILED


def _serve_until_interrupted(say: Callable[[str], None]) -> None:
    say("The collector stays up; Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("Ended.")
