"""What sustained load did to a rate: the first minutes of a run that went on until it settled, against the last."""

from collections.abc import Sequence
from statistics import mean, median

from edgeprof.plan import Plan
from edgeprof_collector.analysis.thresholds import SUSTAINED_WINDOW_RATIO, SUSTAINED_WINDOW_SECONDS
from edgeprof_collector.analysis.verdict import Figure, FigureName, Repetition, Sustained

_SECOND_NS = 1_000_000_000
_RATES = (FigureName.AGGREGATE_RATE, FigureName.PREFILL_RATE, FigureName.DECODE_RATE)


def sustained_rate(plan: Plan, repetitions: Sequence[Repetition], figures: Sequence[Figure]) -> Sustained | None:
    """Compare both ends of a step; ``None`` of a plan that waits for nothing to settle, or of too few repetitions."""
    rate = next((figure for name in _RATES for figure in figures if figure.name is name), None)
    if plan.until is None or plan.until.settled_seconds is None or rate is None:
        return None
    start_ns = min(each.start_monotonic_ns for each in repetitions)
    end_ns = max(each.end_monotonic_ns for each in repetitions)
    span_seconds = (end_ns - start_ns) / _SECOND_NS
    window_seconds = min(SUSTAINED_WINDOW_SECONDS, span_seconds * SUSTAINED_WINDOW_RATIO)
    window_ns = window_seconds * _SECOND_NS
    first = [each for each in repetitions if each.start_monotonic_ns < start_ns + window_ns]
    last = [each for each in repetitions if each.end_monotonic_ns > end_ns - window_ns]
    first_rates, last_rates = _rates(rate, first), _rates(rate, last)
    if not first_rates or not last_rates or {each.index for each in first} & {each.index for each in last}:
        return None
    return Sustained(
        figure=rate.name,
        span_seconds=span_seconds,
        window_seconds=window_seconds,
        first_rate=median(first_rates),
        last_rate=median(last_rates),
        first_celsius=_celsius(first),
        last_celsius=_celsius(last),
        settled=len(repetitions) < plan.until.most_repetitions and span_seconds < plan.until.most_seconds,
    )


def _rates(rate: Figure, repetitions: Sequence[Repetition]) -> list[float]:
    chosen = {each.index for each in repetitions}
    return [sample.value for sample in rate.samples if sample.repetition in chosen]


def _celsius(repetitions: Sequence[Repetition]) -> float | None:
    known = [each.conditions.temperature_celsius for each in repetitions]
    told = [each for each in known if each is not None]
    return mean(told) if told else None
