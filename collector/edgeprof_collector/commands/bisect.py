"""`edgeprof bisect`: which of several versions of an engine is the first to be slower."""

import sys
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Plan, Variant
from edgeprof.plan_file import find_plan
from edgeprof_collector.analysis.comparison.bisection import Conclusion, Pair, Search, search
from edgeprof_collector.analysis.comparison.result import Aspect
from edgeprof_collector.client.judging import fetch_run
from edgeprof_collector.commands.options import AsJson
from edgeprof_collector.profile.display import Display, choose_display
from edgeprof_collector.profile.session import Session, open_session, run_profile
from edgeprof_collector.report.bisection_text import conclusion_line, trial_line
from edgeprof_collector.terminal import Terminal

_EXIT_STATUS = {Conclusion.FOUND: 0, Conclusion.NONE_SLOWER: 1, Conclusion.CANNOT_TELL: 3}
_FIRST, _TRIED = "first", "tried"


class SearchedAspect(str, Enum):
    """What may become slower."""

    PREFILL = "prefill"
    DECODE = "decode"
    TTFT = "ttft"


@dataclass(frozen=True, slots=True)
class Bisected:
    """What is written as JSON."""

    pythons: tuple[str, ...]
    search: Search


def bisect(
    pythons: Annotated[
        list[str], typer.Argument(metavar="PYTHON...", help="Interpreters that have the engine, oldest version first.")
    ],
    model: Annotated[str, typer.Option(help="As for profile.", show_default="a shape that fits this device")] = "",
    engine: Annotated[str, typer.Option(help="The engine that each interpreter has.")] = "llama-cpp-python",
    plan: Annotated[str, typer.Option(help="A built-in plan, or a TOML file, without variants.")] = "quick",
    aspect: Annotated[SearchedAspect, typer.Option(help="What has become slower.")] = SearchedAspect.DECODE,
    repetitions: Annotated[int, typer.Option(min=6, help="Pairs in each measurement.")] = 10,
    attempts: Annotated[int, typer.Option(min=1, help="How often to measure what cannot be told.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Find the first of several versions that is slower than the first, by halving the row and measuring in pairs.

    Status 0: it was found. 1: the last is not slower. 2: it could not be tried. 3: noise forbids to tell.
    """
    row = tuple(_absolute(python) for python in pythons)
    if len(row) < 2:
        raise EdgeprofError("a row needs two interpreters or more, the oldest version first")
    chosen = find_plan(plan)
    if len(chosen.variants) > 1:
        raise EdgeprofError(f"the plan '{chosen.name}' has variants of its own: bisect needs one without")
    display = choose_display(Terminal(stderr=as_json), as_json=False)
    with open_session(engine, sorted(set(row))) as session, display:
        lab = _Lab(session, display, replace(chosen, repetitions=repetitions), model, engine, row)
        found = search(len(row), lab.measure, Aspect(aspect.value), attempts)
    if as_json:
        sys.stdout.write(msgspec.json.encode(Bisected(row, found)).decode() + "\n")
    else:
        for trial in found.trials:
            typer.echo(trial_line(trial, row))
        typer.echo(conclusion_line(found, row))
    raise typer.Exit(_EXIT_STATUS[found.conclusion])


@dataclass(frozen=True, slots=True)
class _Lab:
    """Measures one interpreter of the row beside the first."""

    session: Session
    display: Display
    plan: Plan
    model: str
    engine: str
    row: tuple[str, ...]

    def measure(self, index: int) -> Pair:
        """Run the plan with both as interleaved variants.

        Raises:
            EdgeprofError: the run did not succeed.
        """
        self.display.say(f"measuring {self.row[index]} beside {self.row[0]}")
        options = self.plan.variants[0].options
        variants = (
            Variant(name=_FIRST, options=options, python=self.row[0]),
            Variant(name=_TRIED, options=options, python=self.row[index]),
        )
        # A process of the same interpreter may differ by more than two versions do.
        plan = replace(self.plan, variants=variants, fresh_processes=True)
        profiled = run_profile(
            self.session, self.display, plan=plan, model=self.model, engine=self.engine, python=self.row[0]
        )
        if profiled.interrupted or profiled.record is None or profiled.status.reason:
            cause = "interrupted" if profiled.interrupted else profiled.status.reason
            raise EdgeprofError(f"{self.row[index]} could not be measured: {cause or profiled.status.state.value}")
        run = fetch_run(self.session.client, profiled.record)
        return replace(run, variant=_FIRST), replace(run, variant=_TRIED)


def _absolute(python: str) -> str:
    """A path as the agent must be told it. Links are kept: a virtual environment's interpreter is one."""
    path = Path(python).expanduser().absolute()
    if not path.is_file():
        raise EdgeprofError(f"{python} is no interpreter: give the path of one, such as .venv/bin/python")
    return str(path)
