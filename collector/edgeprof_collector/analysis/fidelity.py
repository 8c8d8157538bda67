"""How far what a model says has moved: the next-token distributions of a fidelity step held against a reference's.

Only the likeliest tokens of each distribution are stored. Of two, the tokens that both have are told apart and all
others taken together: the Kullback-Leibler divergence over that partition is never above the true one (the data
processing inequality), so what is shown here has moved at least as far.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgeprof.plan import Step
from edgeprof.run import NextTokens, RunRecord
from edgeprof_collector.analysis.thresholds import FIDELITY_KL_NATS

# What float32 logarithms leave uncertain of a probability; a remainder below it counts as this much.
_LEAST_PROBABILITY = 1e-6

# Log-probabilities by token, the likeliest first.
Distribution = Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Two rows of next-token distributions over the same tokens of context, after ``token_count`` of these.

    ``kl_mean_nats`` is the mean of KL(reference || other) over all of them, ``kl_largest_nats`` the largest;
    ``kl_prompt_nats`` is the mean where the context grew by many tokens in a call, ``kl_single_nats`` where it grew by
    one, ``None`` where it did not. ``same_top_count`` is how often both held the same token for the likeliest,
    ``largest_difference`` the most that a token's probability differs.
    """

    token_count: int
    kl_mean_nats: float
    kl_largest_nats: float
    kl_prompt_nats: float | None
    kl_single_nats: float | None
    same_top_count: int
    largest_difference: float

    @property
    def same_top_ratio(self) -> float:
        """Share of the tokens after which both held the same one for the likeliest."""
        return self.same_top_count / self.token_count

    @property
    def has_moved(self) -> bool:
        """Whether the model says something else, and not the same with other rounding."""
        return self.kl_mean_nats >= FIDELITY_KL_NATS


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityVerdict:
    """A variant held against the plan's first in one fidelity step. ``step`` and ``variant`` are indices."""

    step: int
    variant: int
    step_name: str
    variant_name: str
    reference_name: str
    divergence: Divergence


def fidelity_verdicts(record: RunRecord) -> tuple[FidelityVerdict, ...]:
    """Every other variant against the first, in each fidelity step that both have done. ``record`` is sound."""
    kept = {(each.step.step, each.step.variant): each for each in record.next_tokens}
    plan = record.started.plan
    return tuple(
        FidelityVerdict(
            step=step,
            variant=variant,
            step_name=plan.steps[step].name,
            variant_name=plan.variants[variant].name,
            reference_name=plan.variants[0].name,
            divergence=divergence(plan.steps[step], kept[step, 0], other),
        )
        for (step, variant), other in sorted(kept.items())
        if variant and (step, 0) in kept
    )


def divergence(step: Step, reference: NextTokens, other: NextTokens) -> Divergence:
    """Hold one side of a fidelity step against the other. Both must have kept what the step asks for."""
    pairs = list(zip(_distributions(reference), _distributions(other), strict=True))
    nats = [_kl_nats(ours, theirs) for ours, theirs in pairs]
    return Divergence(
        token_count=len(nats),
        kl_mean_nats=_mean(nats),
        kl_largest_nats=max(nats),
        kl_prompt_nats=_mean(nats[: step.prompt_tokens]) if step.prompt_tokens else None,
        kl_single_nats=_mean(nats[step.prompt_tokens :]) if step.decode_tokens else None,
        same_top_count=sum(next(iter(ours)) == next(iter(theirs)) for ours, theirs in pairs),
        largest_difference=max(_largest_difference(ours, theirs) for ours, theirs in pairs),
    )


def _distributions(kept: NextTokens) -> Iterator[Distribution]:
    """Each distribution that was kept, in the order of the context."""
    for start in range(0, len(kept.token_ids), kept.top_count):
        part = slice(start, start + kept.top_count)
        yield dict(zip(kept.token_ids[part], kept.log_probabilities[part], strict=True))


def _kl_nats(reference: Distribution, other: Distribution) -> float:
    shared = reference.keys() & other.keys()
    rests = [max(1 - sum(math.exp(each[token]) for token in shared), _LEAST_PROBABILITY) for each in (reference, other)]
    told_apart = sum(math.exp(reference[token]) * (reference[token] - other[token]) for token in sorted(shared))
    return max(told_apart + rests[0] * math.log(rests[0] / rests[1]), 0.0)


def _largest_difference(reference: Distribution, other: Distribution) -> float:
    """Over the tokens that both have, or one of them for the likeliest: of others it is not known."""
    shared = (abs(math.exp(reference[token]) - math.exp(other[token])) for token in reference.keys() & other.keys())
    lost = (
        math.exp(ours[token]) - math.exp(min(theirs.values()))
        for ours, theirs in ((reference, other), (other, reference))
        if (token := next(iter(ours))) not in theirs
    )
    return max([*shared, *lost], default=0.0)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
