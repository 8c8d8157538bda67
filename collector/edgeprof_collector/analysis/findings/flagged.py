"""What repetitions with a flag gave beside those without it, over all steps of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import Figure, FigureName, Flag, Repetition, StepVerdict

_RATES = (FigureName.PREFILL_RATE, FigureName.DECODE_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a flag went with in one figure of a step. ``ratio`` is the share that was lost, negative where none was."""

    title: str
    ratio: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """Repetitions that have a flag, of all, and the step that lost the most where it has repetitions of both kinds."""

    repetitions: tuple[Repetition, ...]
    repetition_count: int
    cost: Cost | None

    @property
    def count_text(self) -> str:
        """How many of how many repetitions."""
        return f"{len(self.repetitions)} of {self.repetition_count} repetitions"

    def evidence_of(self, flag: Flag) -> tuple[str, ...]:
        """What raised the flag, each once, in the order of time."""
        told = [raised.evidence for each in self.repetitions for raised in each.flags if raised.flag is flag]
        return tuple(dict.fromkeys(told))


def repetitions_with(evidence: Evidence, flag: Flag) -> Flagged | None:
    """The repetitions that have a flag; ``None`` if none has."""
    found = [each for step in evidence.steps for each in step.repetitions if _has(each, flag)]
    if not found:
        return None
    costs = [cost for step in evidence.steps for cost in _costs(evidence, step, flag)]
    return Flagged(
        repetitions=tuple(sorted(found, key=lambda each: each.start_monotonic_ns)),
        repetition_count=sum(len(step.repetitions) for step in evidence.steps),
        cost=max(costs, key=lambda cost: cost.ratio, default=None),
    )


def _has(repetition: Repetition, flag: Flag) -> bool:
    return any(raised.flag is flag for raised in repetition.flags)


def _costs(evidence: Evidence, step: StepVerdict, flag: Flag) -> Sequence[Cost]:
    flagged = {each.index for each in step.repetitions if _has(each, flag)}
    costs = [_cost(evidence.title(step), figure, flagged) for figure in step.figures if figure.name in _RATES]
    return [cost for cost in costs if cost]


def _cost(title: str, figure: Figure, flagged: set[int]) -> Cost | None:
    with_flag = [sample.value for sample in figure.samples if sample.repetition in flagged]
    without = [sample.value for sample in figure.samples if sample.repetition not in flagged]
    if not with_flag or not without:
        return None
    rate, free_rate = median(with_flag), median(without)
    ratio = 1 - rate / free_rate
    text = f"{title}: {text_of(rate, figure.unit)} then, {text_of(free_rate, figure.unit)} otherwise, {ratio:.0%} less"
    return Cost(title=title, ratio=ratio, text=text)
