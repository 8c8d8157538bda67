"""The rates of a variant beside those of the plan's first, in the same steps."""

from collections.abc import Iterator
from dataclasses import dataclass

from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import Figure, FigureName

_RATES = {FigureName.PREFILL_RATE: "reads", FigureName.DECODE_RATE: "writes"}


@dataclass(frozen=True, slots=True)
class RatePair:
    """A rate of the first variant and of the one that is judged."""

    step_name: str
    verb: str
    first: Figure
    other: Figure

    @property
    def other_text(self) -> str:
        """Which step does what at which rate."""
        return f"{self.step_name} {self.verb} {rate_text(self.other)}"

    @property
    def change_ratio(self) -> float:
        """By how much the median of the other is above the first's, as a share of that."""
        return self.other.median / self.first.median - 1


def rate_pairs(evidence: Evidence, variant: int) -> Iterator[RatePair]:
    """Each rate that both have, in the plan's order."""
    for step in evidence.steps:
        base = evidence.step_of(step.step, 0)
        if step.variant != variant or base is None:
            continue
        for name, verb in _RATES.items():
            first, other = base.figure(name), step.figure(name)
            if first and other:
                yield RatePair(step.name, verb, first, other)


def rate_text(rate: Figure) -> str:
    """The median with its unit."""
    return text_of(rate.median, rate.unit)
