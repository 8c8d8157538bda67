"""Whether the candidate foresees a text as well as the base does, window by window of the same text."""

from collections.abc import Sequence
from dataclasses import replace

from edgeprof.plan import Step
from edgeprof.run import TextScore
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Change, Method, Subject
from edgeprof_collector.analysis.comparison.shift import PairedShift
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.perplexity import perplexity, ratio_of, same_windows
from edgeprof_collector.analysis.thresholds import CHANGE_SIGNIFICANCE, COMPARE_MIN_PAIRS, PERPLEXITY_MIN_RATIO
from edgeprof_collector.analysis.verdict import Interval

_Scored = tuple[RunData, TextScore]


def perplexity_changes(
    base: Sequence[RunData], candidate: Sequence[RunData], *, by_variant: bool
) -> tuple[Change, ...]:
    """A change for each perplexity step and variant that both sides have, from the first run of each that has it.

    A model always scores the same text alike. What is uncertain is how far the change would be that of other texts, so
    the interval is that of the windows' paired differences.
    """
    ours, theirs = (_scored(side, by_variant=by_variant) for side in (base, candidate))
    return tuple(_change(*key, ours[key], theirs[key]) for key in ours if key in theirs)


def _scored(side: Sequence[RunData], *, by_variant: bool) -> dict[tuple[Step, str], _Scored]:
    """What was found, by step, wherever its text lies, and by the variant's name."""
    scored: dict[tuple[Step, str], _Scored] = {}
    for run in side:
        for name, score in run.scores():
            if name in run.variants:
                step = replace(run.steps[score.step.step], text="")
                scored.setdefault((step, name if by_variant else ""), (run, score))
    return scored


def _change(step: Step, variant: str, base: _Scored, candidate: _Scored) -> Change:
    (our_run, ours), (their_run, theirs) = base, candidate
    change = Change(
        subject=Subject(aspect=Aspect.PERPLEXITY, title="perplexity", unit="", step=step.name, variant=variant),
        base_median=perplexity(ours),
        candidate_median=perplexity(theirs),
        base_count=len(ours.window_nats),
        candidate_count=len(theirs.window_nats),
        method=Method.TOKENS,
        answer=Answer.CANNOT_TELL,
    )
    vocabularies = {run.verdict.model.vocabulary_size for run in (our_run, their_run)}
    if len(vocabularies) > 1 or not same_windows(ours, theirs):
        return replace(change, reason="another text, or other tokens of it: the files or the vocabularies differ")
    if len(ours.window_nats) < COMPARE_MIN_PAIRS:
        return replace(
            change, reason=f"windows: {len(ours.window_nats)}, where at least {COMPARE_MIN_PAIRS} are needed"
        )
    shift = PairedShift([their - our for our, their in zip(ours.window_nats, theirs.window_nats, strict=True)])
    found = shift.interval(CHANGE_SIGNIFICANCE)
    interval = None if found is None else Interval(ratio_of(found.low), ratio_of(found.high))
    change_ratio = ratio_of(shift.estimate)
    return replace(change, change_ratio=change_ratio, interval=interval, answer=_answer(change_ratio, interval))


def _answer(change_ratio: float, interval: Interval | None) -> Answer:
    if interval is None:
        return Answer.CANNOT_TELL
    if max(-interval.low, interval.high) < PERPLEXITY_MIN_RATIO:
        return Answer.NO_DIFFERENCE
    if abs(change_ratio) >= PERPLEXITY_MIN_RATIO and (interval.low > 0 or interval.high < 0):
        return Answer.WORSE if change_ratio > 0 else Answer.BETTER
    return Answer.CANNOT_TELL
