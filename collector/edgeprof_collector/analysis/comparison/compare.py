"""Two sides of runs, figure by figure: changed for the better, for the worse, not at all, or impossible to tell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, median

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunState
from edgeprof_collector.analysis.comparison.correction import holm
from edgeprof_collector.analysis.comparison.difference import differences, refuse_across
from edgeprof_collector.analysis.comparison.output_change import output_changes
from edgeprof_collector.analysis.comparison.perplexity_change import perplexity_changes
from edgeprof_collector.analysis.comparison.result import (
    HIGHER_IS_BETTER,
    Answer,
    Change,
    Comparison,
    Difference,
    Method,
)
from edgeprof_collector.analysis.comparison.shift import PairedShift, SeparateShift, Shift
from edgeprof_collector.analysis.comparison.side import Key, RunData, Values, median_of, run_values
from edgeprof_collector.analysis.comparison.tasks_change import tasks_changes
from edgeprof_collector.analysis.thresholds import (
    CHANGE_MIN_RATIO,
    CHANGE_SIGNIFICANCE,
    COMPARE_MIN_PAIRS,
    COMPARE_MIN_RUNS,
    COMPARE_MIN_VALUES,
    NO_DIFFERENCE_RATIO,
    VISIBLE_PROBABILITY,
)
from edgeprof_collector.analysis.verdict import Interval, Severity

Runs = Sequence[RunData]


def compare(
    base: Runs, candidate: Runs, *, across: bool = False, no_difference_ratio: float = NO_DIFFERENCE_RATIO
) -> Comparison:
    """Compare ``candidate`` with ``base``, each at least one run.

    Variants of the same runs are compared as pairs, repetition by repetition. From five runs on each side whole runs
    are compared, else the repetitions of all of them.

    Raises:
        EdgeprofError: the sides are the same, overlap, differ in device, model or plan and not ``across``, or have
            nothing in common.
    """
    _refuse_overlap(base, candidate)
    found = differences(base, candidate)
    if not across:
        refuse_across(found)
    by_variant = _tells_variants_apart(base, candidate)
    method = _method(base, candidate)
    ours = [run_values(run, by_variant=by_variant) for run in base]
    theirs = [run_values(run, by_variant=by_variant) for run in candidate]
    keys = [key for key in _keys(ours) if key in _keys(theirs)]
    outputs = (
        *output_changes(base, candidate, by_variant=by_variant),
        *tasks_changes(base, candidate, by_variant=by_variant),
        *perplexity_changes(base, candidate, by_variant=by_variant),
    )
    if not keys and not outputs:
        raise EdgeprofError("the runs have no step in common that both completed: nothing can be compared")
    measured = [_measure(key, ours, theirs, method) for key in keys]
    tested = [each.shift for each in measured if each.shift is not None]
    corrected = iter(holm([shift.probability() for shift in tested]))
    return Comparison(
        base=tuple(run.name for run in base),
        candidate=tuple(run.name for run in candidate),
        differences=found,
        changes=tuple(
            _judge(each, next(corrected) if each.shift else 1.0, len(tested), no_difference_ratio) for each in measured
        )
        + outputs,
        no_difference_ratio=no_difference_ratio,
        tested_count=len(tested),
        notes=_notes(base, candidate, method, found),
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """A figure with what its test works on; ``shift`` is ``None`` where there are too few values."""

    change: Change
    shift: Shift | None


def _refuse_overlap(base: Runs, candidate: Runs) -> None:
    both = {run.name for run in base} & {run.name for run in candidate}
    if both:
        raise EdgeprofError(f"{min(both)} is on both sides: name two different runs, or two variants of one")


def _tells_variants_apart(base: Runs, candidate: Runs) -> bool:
    """Whether variants are compared by name; not where each side has a single one, whatever its name.

    Raises:
        EdgeprofError: it cannot be said which variants belong together.
    """
    names = {run.variants for run in (*base, *candidate)}
    if all(len(each) <= 1 for each in names):
        return False
    if len(names) == 1:
        return True
    several = next(run for run in (*base, *candidate) if len(run.variants) > 1)
    raise EdgeprofError(
        f"{several.name} has the variants {', '.join(several.variants)}, and not all runs have the same: "
        f"name one, as in {several.verdict.run_id}:{several.variants[0]}"
    )


def _method(base: Runs, candidate: Runs) -> Method:
    if [run.verdict.run_id for run in base] == [run.verdict.run_id for run in candidate]:
        return Method.PAIRS
    return Method.RUNS if min(len(base), len(candidate)) >= COMPARE_MIN_RUNS else Method.REPETITIONS


def _keys(side: Sequence[Values]) -> dict[Key, None]:
    return {key: None for values in side for key in values}


def _measure(key: Key, base: Sequence[Values], candidate: Sequence[Values], method: Method) -> _Measured:
    """Bring a figure's values into the form that the method compares, and test them if they are enough."""
    ours, theirs = _collect(key, base, method), _collect(key, candidate, method)
    if method is Method.PAIRS:
        shared = [name for name in ours if name in theirs]
        ours, theirs = {name: ours[name] for name in shared}, {name: theirs[name] for name in shared}
    reason = _why_not(list(ours.values()), list(theirs.values()), method)
    change = Change(
        subject=key.subject,
        base_median=median(ours.values()) if ours else None,
        candidate_median=median(theirs.values()) if theirs else None,
        base_count=len(ours),
        candidate_count=len(theirs),
        method=method,
        answer=Answer.CANNOT_TELL,
        reason=reason,
    )
    if reason:
        return _Measured(change, None)
    logs = [[math.log(value) for value in side.values()] for side in (ours, theirs)]
    if method is Method.PAIRS:
        return _Measured(change, PairedShift([later - former for former, later in zip(*logs, strict=True)]))
    return _Measured(change, SeparateShift(*logs))


def _collect(key: Key, side: Sequence[Values], method: Method) -> dict[tuple[int, int], float]:
    """The values of one side, by run and repetition; of whole runs, their medians."""
    if method is Method.RUNS:
        return {(run, 0): median_of(values[key]) for run, values in enumerate(side) if key in values}
    return {(run, sample.repetition): sample.value for run, values in enumerate(side) for sample in values.get(key, ())}


def _why_not(base: Sequence[float], candidate: Sequence[float], method: Method) -> str:
    """Why these values cannot be tested; empty if they can."""
    fewest, needed = min(len(base), len(candidate)), COMPARE_MIN_VALUES
    if method is Method.PAIRS:
        needed = COMPARE_MIN_PAIRS
    if fewest < needed:
        unit = "pairs" if method is Method.PAIRS else "values on each side"
        return f"{unit}: {fewest}, where at least {needed} are needed"
    if min(*base, *candidate) <= 0:
        return "a value is not above zero, so that there is no ratio"
    return ""


def _judge(measured: _Measured, probability: float, tested_count: int, no_difference_ratio: float) -> Change:
    """Put the test's result into the change, and say what it means."""
    shift = measured.shift
    if shift is None:
        return measured.change
    change_ratio = math.expm1(shift.estimate)
    interval = _ratios(shift.interval(CHANGE_SIGNIFICANCE))
    answer, reason = Answer.CANNOT_TELL, ""
    visible = _smallest_visible(shift, tested_count)
    if probability <= CHANGE_SIGNIFICANCE and abs(change_ratio) >= CHANGE_MIN_RATIO:
        rises_to_better = measured.change.subject.aspect in HIGHER_IS_BETTER
        answer = Answer.BETTER if (change_ratio > 0) is rises_to_better else Answer.WORSE
    elif interval is not None and max(-interval.low, interval.high) <= no_difference_ratio:
        answer = Answer.NO_DIFFERENCE
    elif visible is None:
        reason = f"too few values to show any change when {tested_count} figures are tested"
    return replace(
        measured.change,
        change_ratio=change_ratio,
        interval=interval,
        smallest_visible_ratio=visible,
        probability=probability,
        answer=answer,
        reason=reason,
    )


def _smallest_visible(shift: Shift, tested_count: int) -> float | None:
    """The change that would be called one with a probability of 80 % if it were the only one among all figures.

    Half the interval at the corrected level is found half of the time; the rest is the estimate's own spread.
    """
    interval = shift.interval(CHANGE_SIGNIFICANCE / tested_count)
    if interval is None:
        return None
    reach = (interval.high - interval.low) / 2
    margin = NormalDist().inv_cdf(VISIBLE_PROBABILITY) * shift.standard_error
    return max(math.expm1(reach + margin), CHANGE_MIN_RATIO)


def _ratios(interval: Interval | None) -> Interval | None:
    return None if interval is None else Interval(math.expm1(interval.low), math.expm1(interval.high))


def _notes(base: Runs, candidate: Runs, method: Method, found: Sequence[Difference]) -> tuple[str, ...]:
    """What a reader must know before believing the changes."""
    notes = []
    across = [each.name for each in found if each.across]
    if across:
        notes.append(f"Different {' and '.join(across)}: what changed cannot be laid to the engine alone.")
    if method is Method.REPETITIONS:
        notes.append(
            "The runs were made at different times: what else changed between them counts too. "
            f"Interleaved variants, or {COMPARE_MIN_RUNS} runs on each side, rule that out."
        )
    if method is Method.PAIRS and not all(run.fresh_processes for run in base):
        notes.append(
            "Each variant was one process all the time. What processes of the same program differ in is not in the "
            "intervals, and counts as a change; a plan with fresh_processes = true has it in them."
        )
    for run in (*base, *candidate):
        verdict = run.verdict
        if verdict.state is not RunState.SUCCEEDED:
            notes.append(f"{run.name} {verdict.state.value}: {verdict.cause or 'its end is not known'}")
        notes += [f"{run.name}: {each.title}" for each in verdict.findings if each.severity is Severity.INVALID]
    return tuple(dict.fromkeys(notes))
