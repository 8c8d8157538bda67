"""How well a model foresees a text: the perplexity of a perplexity step, for each variant.

As of llama.cpp's perplexity tool, the text is read in windows and the second half of each is scored, so that every
token has half a window of context at least. Perplexities compare only where text, windows and vocabulary are the same.
"""

import math
from dataclasses import dataclass

from edgeprof.plan import Step
from edgeprof.run import RunRecord, TextScore

# Of damaged weights the perplexity may be a number that no float holds. This one, 1e12, says as much: no vocabulary has
# as many tokens, so that a guess among all of them is better.
_MOST_NATS = 12 * math.log(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityVerdict:
    """A text as one variant foresaw it. ``step`` and ``variant`` are indices.

    ``perplexity`` is exp of the mean negative log-probability of all ``token_count`` scored tokens, 1e12 at most;
    ``lowest`` and ``highest`` are those of single windows. ``change_ratio`` is the perplexity over that of the plan's
    first variant for the same text, less 1; ``None`` of the first itself, and where the two read other texts.
    """

    step: int
    variant: int
    step_name: str
    variant_name: str
    reference_name: str
    text_sha256: str
    window_count: int
    token_count: int
    perplexity: float
    lowest: float
    highest: float
    change_ratio: float | None = None


def perplexity_verdicts(record: RunRecord) -> tuple[PerplexityVerdict, ...]:
    """Each variant in each perplexity step that it has done. ``record`` is sound."""
    plan = record.started.plan
    scores = {(each.step.step, each.step.variant): each for each in record.text_scores}
    return tuple(
        PerplexityVerdict(
            step=step,
            variant=variant,
            step_name=plan.steps[step].name,
            variant_name=plan.variants[variant].name,
            reference_name=plan.variants[0].name,
            text_sha256=score.text_sha256,
            window_count=len(score.window_nats),
            token_count=len(score.window_nats) * scored_tokens(plan.steps[step]),
            perplexity=perplexity(score),
            lowest=_perplexity(min(score.window_nats)),
            highest=_perplexity(max(score.window_nats)),
            change_ratio=_change_ratio(scores.get((step, 0)), score) if variant else None,
        )
        for (step, variant), score in sorted(scores.items())
    )


def perplexity(score: TextScore) -> float:
    """Of all windows: each has as many scored tokens, so that the mean of their means is that of all tokens."""
    return _perplexity(mean_nats(score))


def mean_nats(score: TextScore) -> float:
    """The mean negative log-probability of the scored tokens, whose exponential is the perplexity."""
    return sum(score.window_nats) / len(score.window_nats)


def ratio_of(nats: float) -> float:
    """The change of a perplexity whose logarithm has changed by so many nats."""
    return math.expm1(min(nats, _MOST_NATS))


def scored_tokens(step: Step) -> int:
    """Tokens that are scored in each window: its second half, but for the token that this begins with."""
    return step.prompt_tokens - 1 - step.prompt_tokens // 2


def same_windows(one: TextScore, other: TextScore) -> bool:
    """Whether the two are of the same text, in as many windows."""
    return (one.text_sha256, len(one.window_nats)) == (other.text_sha256, len(other.window_nats))


def _change_ratio(reference: TextScore | None, score: TextScore) -> float | None:
    if reference is None or not same_windows(reference, score):
        return None
    return ratio_of(mean_nats(score) - mean_nats(reference))


def _perplexity(nats: float) -> float:
    return math.exp(min(nats, _MOST_NATS))
