"""What people write for one side of a comparison, and the runs that it means."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunState
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import RunSummary

_LATEST_COUNT = "last"
_VARIANT = "variant"
_FACTS: dict[str, Callable[[RunSummary], str]] = {
    "device": lambda run: run.device_id,
    "model": lambda run: run.model,
    "quantisation": lambda run: run.quantisation,
    "plan": lambda run: run.plan,
    "engine": lambda run: run.engine,
    "engine_version": lambda run: run.engine_version,
}


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run by its name or its exported file; ``variant`` is empty for all of its variants."""

    name: str
    variant: str = ""

    @property
    def file(self) -> Path | None:
        """The exported file, if it is one."""
        return Path(self.name) if self.name.endswith(".json") else None


def read_run_set(text: str, runs: Callable[[], Sequence[RunSummary]]) -> tuple[NamedRun, ...]:
    """The runs that ``text`` means.

    ``RUN``, ``RUN:VARIANT``, an exported ``FILE.json``, or several of them with commas between; or
    ``key=value,...``, which means every run that succeeded and has all of these values: device, model, quantisation,
    plan, engine, engine_version; ``variant=NAME`` takes one variant of each, ``last=N`` the latest N.

    Raises:
        EdgeprofError: it is not understood, or no run is meant.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise EdgeprofError("a side of the comparison is empty: name a run, such as 'latest'")
    if "=" in parts[0].partition(":")[0]:  # a variant of a sweep has one in its name
        return _select(text, dict(_key_and_value(part) for part in parts), runs())
    return tuple(_named(part) for part in parts)


def _named(text: str) -> NamedRun:
    name, _, variant = text.partition(":")
    return NamedRun(name, variant)


def _key_and_value(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    known = (*_FACTS, _VARIANT, _LATEST_COUNT)
    if not sign or key not in known:
        raise EdgeprofError(f"'{text}' selects nothing: write KEY=VALUE with one of {', '.join(known)}")
    if key == _LATEST_COUNT and not (value.isdecimal() and int(value)):
        raise EdgeprofError(f"'{text}': a number of runs is wanted, 1 or more")
    return key, value


def _select(text: str, wanted: dict[str, str], runs: Sequence[RunSummary]) -> tuple[NamedRun, ...]:
    variant, count = wanted.pop(_VARIANT, ""), wanted.pop(_LATEST_COUNT, "")
    chosen = [
        run
        for run in runs
        if run.state is RunState.SUCCEEDED and all(_FACTS[key](run) == value for key, value in wanted.items())
    ]
    if not chosen:
        raise NotFoundError(f"no run that succeeded has {text}; edgeprof runs lists them")
    return tuple(NamedRun(run.run_id, variant) for run in chosen[: int(count) if count else None])
