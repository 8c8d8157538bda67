"""Colours and names of a plot's series."""

from collections.abc import Iterable

from edgeprof_collector.analysis.verdict import StepVerdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.plot import LegendEntry

_COLOURS = 8


def colour(index: int) -> str:
    """The style of the series with this number."""
    return f"c{index % _COLOURS}"


def variant_prefix(step: StepVerdict, steps: Iterable[StepVerdict]) -> str:
    """The variant's name before what is said of it, where there are several."""
    return f"{clean(step.variant_name)}: " if len({each.variant for each in steps}) > 1 else ""


def variant_legend(steps: Iterable[StepVerdict]) -> tuple[LegendEntry, ...]:
    """What each variant's colour means; nothing where there is one variant."""
    names = {step.variant: clean(step.variant_name) for step in steps}
    if len(names) < 2:
        return ()
    return tuple(LegendEntry(name, colour(variant)) for variant, name in sorted(names.items()))
