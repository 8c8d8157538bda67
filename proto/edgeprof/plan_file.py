"""Plans as people write them, in TOML, and those that ship with edgeprof."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from edgeprof.errors import ConfigError, EdgeprofError
from edgeprof.plan import Plan, Variant
from edgeprof.plan_rules import filled_in, plan_problems
from edgeprof.problems import Problem
from edgeprof.toml_reader import read_document

# Not by importlib.resources, which costs the agent 1.4 MB of memory.
_FOLDER = Path(__file__).parent / "plans"
_MOST_VARIANTS = 64
_NO_VARIANTS = (Variant(name="default"),)

OptionValues = Annotated[tuple[str, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPlan(Plan):
    """A plan as its file has it. ``sweep`` has the values of options, of which every combination is a variant."""

    sweep: dict[str, OptionValues] = field(default_factory=dict)

    def plan(self) -> Plan:
        """The plan that is meant, with all that it leaves open filled in."""
        values = {each.name: getattr(self, each.name) for each in fields(Plan)}
        return filled_in(Plan(**{**values, "variants": _swept_variants(self.sweep) or self.variants}))

    def problems(self) -> Iterator[Problem]:
        """Yield all that cannot be run."""
        if self.sweep:
            yield from (Problem(("sweep",), text) for text in _sweep_problems(self, self.sweep))
        yield from plan_problems(self.plan())


def with_sweep(plan: Plan, sweep: Mapping[str, Sequence[str]]) -> Plan:
    """Return the plan with a variant of every combination of the options' values.

    Raises:
        EdgeprofError: it has variants of its own, or there would be too many.
    """
    for text in _sweep_problems(plan, sweep):
        raise EdgeprofError(text)
    return replace(plan, variants=_swept_variants(sweep))


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file.

    Raises:
        ConfigError: the file cannot be read, or holds what `check_plan` tells of.
    """
    plan, lines = _read(path)
    if lines or plan is None:
        raise ConfigError(lines[0])
    return plan


def check_plan(path: Path) -> tuple[str, ...]:
    """Return a line for every key that is wrong in a plan's file: file, line, key, and what was expected.

    Raises:
        ConfigError: the file cannot be read, or is no TOML.
    """
    return _read(path)[1]


def built_in_plan(name: str) -> Plan:
    """Return the plan that ships under this name.

    Raises:
        EdgeprofError: no plan has this name.
    """
    if name not in built_in_plan_names():
        names = ", ".join(built_in_plan_names())
        raise EdgeprofError(f"no plan is called '{name}': use one of {names}, or the path of a TOML file")
    return read_plan(_FOLDER / f"{name}.toml")


def built_in_plan_names() -> tuple[str, ...]:
    """Names of the plans that ship with edgeprof."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def find_plan(name_or_path: str) -> Plan:
    """Return the plan in the file ``name_or_path``, or else the built-in plan of that name."""
    if name_or_path.endswith(".toml"):
        return read_plan(Path(name_or_path))
    return built_in_plan(name_or_path)


def _read(path: Path) -> tuple[Plan | None, tuple[str, ...]]:
    """The plan in a file and what is wrong with it. What must fit together is looked at where each value does."""
    document = read_document(path)
    problems = document.problems(WrittenPlan)
    if problems:
        return None, tuple(document.line_about(problem) for problem in problems)
    written = document.convert(WrittenPlan)
    found = sorted(written.problems(), key=lambda problem: document.line_of(problem.keys))
    return written.plan(), tuple(document.line_about(problem) for problem in found)


def _swept_variants(sweep: Mapping[str, Sequence[str]]) -> tuple[Variant, ...]:
    """A variant of every combination of the options' values; none of no options."""
    settings = [[(option, value) for value in values] for option, values in sweep.items()]
    return tuple(
        Variant(name=" ".join(f"{option}={value}" for option, value in chosen), options=dict(chosen))
        for chosen in product(*settings)
        if chosen
    )


def _sweep_problems(plan: Plan, sweep: Mapping[str, Sequence[str]]) -> Iterator[str]:
    count = prod(len(values) for values in sweep.values())
    if plan.variants != _NO_VARIANTS:
        yield "'sweep' makes the variants, so there can be no [[variants]] beside it"
    if count > _MOST_VARIANTS:
        yield f"'sweep' makes {count} variants; {_MOST_VARIANTS} at most"
