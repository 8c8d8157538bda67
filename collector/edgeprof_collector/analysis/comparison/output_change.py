"""Whether the candidate says what the base says: their next tokens in each fidelity step that both have done."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from edgeprof.plan import Step
from edgeprof.run import NextTokens
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change, Method, Subject
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.fidelity import Divergence, divergence
from edgeprof_collector.analysis.thresholds import FIDELITY_KL_NATS
from edgeprof_collector.analysis.verdict import Interval

_QUANTILE = NormalDist().inv_cdf(0.975)
_Kept = tuple[RunData, NextTokens]


def output_changes(base: Sequence[RunData], candidate: Sequence[RunData], *, by_variant: bool) -> tuple[Change, ...]:
    """A change for each fidelity step and variant that both sides have, from the first run of each side that has it.

    The same tokens always give the same answer, so nothing is tested: how far the answers lie apart decides. The
    change is that of the share of tokens after which both hold the same next one for the likeliest.
    """
    ours, theirs = (_kept(side, by_variant=by_variant) for side in (base, candidate))
    return tuple(_change(*key, ours[key], theirs[key]) for key in ours if key in theirs)


def _kept(side: Sequence[RunData], *, by_variant: bool) -> dict[tuple[Step, str], _Kept]:
    """What was kept, by step as its plan has it and by the variant's name."""
    kept: dict[tuple[Step, str], _Kept] = {}
    for run in side:
        for name, each in run.outputs():
            if name not in run.variants:
                continue
            kept.setdefault((run.steps[each.step.step], name if by_variant else ""), (run, each))
    return kept


def _change(step: Step, variant: str, base: _Kept, candidate: _Kept) -> Change:
    subject = Subject(
        aspect=Aspect.FIDELITY, title="same likeliest token", unit="ratio", step=step.name, variant=variant
    )
    count = step.prompt_tokens + step.decode_tokens
    (ours, base_tokens), (theirs, candidate_tokens) = base, candidate
    if _fed(ours) != _fed(theirs):
        return Change(
            subject=subject,
            base_median=None,
            candidate_median=None,
            base_count=count,
            candidate_count=count,
            method=Method.TOKENS,
            answer=Answer.CANNOT_TELL,
            reason="other tokens were fed: the plans' seeds or the models' vocabularies differ",
        )
    found = divergence(step, base_tokens, candidate_tokens)
    return Change(
        subject=subject,
        base_median=1.0,
        candidate_median=found.same_top_ratio,
        base_count=count,
        candidate_count=count,
        method=Method.TOKENS,
        change_ratio=found.same_top_ratio - 1,
        interval=_wilson(found.same_top_count, count),
        answer=Answer.WORSE if found.has_moved else Answer.NO_DIFFERENCE,
        reason=_reason(found),
    )


def _fed(run: RunData) -> tuple[int, int]:
    """What decides which tokens an engine is fed."""
    return run.seed, run.verdict.model.vocabulary_size


def _reason(found: Divergence) -> str:
    side = "at least" if found.has_moved else "less than"
    return f"KL divergence {found.kl_mean_nats:.3g} nats per token, {side} the {FIDELITY_KL_NATS} of another output"


def _wilson(count: int, total: int) -> Interval:
    """Wilson's 95 % interval of a share, less 1 (Wilson, JASA 22, 1927)."""
    share, square = count / total, _QUANTILE**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    reach = _QUANTILE / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return Interval(middle - reach - 1, middle + reach - 1)
