"""A variant that is slower than the first, interleaved on the same device."""

from collections.abc import Iterator
from dataclasses import dataclass

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower, twins
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import Figure, FigureName, Finding, Severity

_RATES = {FigureName.PREFILL_RATE: "reads", FigureName.DECODE_RATE: "writes"}
# Their own findings tell of these, and what they cost.
_TOLD_ELSEWHERE = ("threads", "logits_all")


def slower_variant(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant that is slower than the plan's first in a step; the steps where it is not are named too.

    What `edgeprof compare` would call worse, if it is enough to matter; under 6 repetitions nothing can be told.

    It is a warning where the options are the same, so that the engine itself is slower: another version or build.
    """
    told_elsewhere = {other for option in _TOLD_ELSEWHERE for other in twins(evidence.record, 0, option)}
    variants = range(1, len(evidence.record.started.plan.variants))
    found = [_judge(evidence, variant) for variant in variants if variant not in told_elsewhere]
    return tuple(finding for finding in found if finding)


def _judge(evidence: Evidence, variant: int) -> Finding | None:
    pairs = list(_pairs(evidence, variant))
    slower = [pair for pair in pairs if is_slower(pair.after, pair.before, tests=len(pairs))]
    if not slower:
        return None
    plan = evidence.record.started.plan
    first, other = plan.variants[0], plan.variants[variant]
    asked_alike = asked_options(evidence.record, 0) == asked_options(evidence.record, variant)
    told = "; ".join(pair.text for pair in slower)
    rest = ", ".join(pair.text for pair in pairs if pair not in slower)
    return Finding(
        name=FindingName.SLOWER_VARIANT,
        severity=Severity.WARNING if asked_alike else Severity.NOTE,
        title=f"{other.name} is slower than {first.name}",
        evidence=f"{told}; not slower: {rest}" if rest else told,
        advice=(
            "the options are the same, so the engine itself is slower here: stay with the faster one, and see by the "
            "steps whether prompts, single tokens or long contexts lost"
            if asked_alike
            else f"keep the options of {first.name}, unless the slower ones buy memory or fidelity that you need"
        ),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """A rate of the first variant and of the one that is judged, in the same repetitions of the same step."""

    step_name: str
    verb: str
    before: Figure
    after: Figure

    @property
    def text(self) -> str:
        """The change in words."""
        change = self.after.median / self.before.median - 1
        rates = f"{_rate_text(self.after)} instead of {_rate_text(self.before)}"
        return f"{self.step_name} {self.verb} {rates} ({change:+.0%}, n {self.after.n})"


def _pairs(evidence: Evidence, variant: int) -> Iterator[_Pair]:
    for step in evidence.steps:
        base = evidence.step_of(step.step, 0)
        if step.variant != variant or base is None:
            continue
        for name, verb in _RATES.items():
            before, after = base.figure(name), step.figure(name)
            if before and after:
                yield _Pair(step.name, verb, before, after)


def _rate_text(rate: Figure) -> str:
    return text_of(rate.median, rate.unit)
