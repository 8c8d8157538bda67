"""Medians, quartiles, bootstrap intervals and trends. Deterministic: the same samples give the same numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from edgeprof_collector.analysis.thresholds import (
    DRIFT_MIN_RATIO,
    DRIFT_SIGNIFICANCE,
    INTERVAL_MIN_REPETITIONS,
    PERCENTILE_MIN_GAPS_BEYOND,
)
from edgeprof_collector.analysis.verdict import Interval, Percentile

Floats = NDArray[np.float64]

_SEED = 20_250_101
_RESAMPLES = 4000
_TAILS = (0.025, 0.975)
_PERCENTILES = (0.50, 0.90, 0.99)
# For the interval of a percentile alone, a repetition with more gaps is represented by this many of its quantiles.
_QUANTILES_PER_REPETITION = 1000
_RESAMPLES_OF_GAPS = 1000
# Bounds the memory that resampling takes.
_INDICES_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """Quartiles (linear interpolation between order statistics) and the interval of the median."""

    first_quartile: float
    median: float
    third_quartile: float
    interval: Interval | None


def summarise(values: Sequence[float]) -> Summary:
    """Summarise at least one value."""
    first_quartile, median, third_quartile = np.quantile(np.asarray(values, np.float64), (0.25, 0.5, 0.75))
    return Summary(float(first_quartile), float(median), float(third_quartile), median_interval(values))


def median_interval(values: Sequence[float]) -> Interval | None:
    """95 % percentile-bootstrap interval of the median; ``None`` with too few values for it to cover 95 %."""
    if len(values) < INTERVAL_MIN_REPETITIONS:
        return None
    sample = np.asarray(values, np.float64)
    medians = np.concatenate([np.median(sample[picks], axis=1) for picks in _resamples(len(values), _RESAMPLES)])
    low, high = np.quantile(medians, _TAILS)
    return Interval(float(low), float(high))


def gap_percentiles(gaps_by_repetition: Sequence[Floats]) -> tuple[Percentile, ...]:
    """Percentiles 50, 90 and 99 of the pooled gaps, those left out that too few gaps bear.

    The interval resamples whole repetitions, because the gaps within one are not independent.
    """
    pooled = np.concatenate(list(gaps_by_repetition))
    ratios = tuple(ratio for ratio in _PERCENTILES if pooled.size * (1 - ratio) >= PERCENTILE_MIN_GAPS_BEYOND - 1e-9)
    if not ratios:
        return ()
    values = np.quantile(pooled, ratios)
    intervals = _percentile_intervals(gaps_by_repetition, ratios)
    return tuple(
        Percentile(ratio=ratio, seconds=float(value), interval=interval)
        for ratio, value, interval in zip(ratios, values, intervals, strict=True)
    )


def _percentile_intervals(gaps_by_repetition: Sequence[Floats], ratios: Sequence[float]) -> list[Interval | None]:
    count = len(gaps_by_repetition)
    if count < INTERVAL_MIN_REPETITIONS:
        return [None] * len(ratios)
    gaps = [_thin_to_quantiles(each) for each in gaps_by_repetition]
    weights = np.concatenate(
        [np.full(each.size, whole.size / each.size) for each, whole in zip(gaps, gaps_by_repetition, strict=True)]
    )
    repetition = np.repeat(np.arange(count), [each.size for each in gaps])
    values = np.concatenate(gaps)
    order = np.argsort(values, kind="stable")
    values, weights, repetition = values[order], weights[order], repetition[order]
    found = np.empty((_RESAMPLES_OF_GAPS, len(ratios)))
    for row, picks in enumerate(chain.from_iterable(_resamples(count, _RESAMPLES_OF_GAPS))):
        cumulative = np.cumsum(weights * np.bincount(picks, minlength=count)[repetition])
        found[row] = values[np.searchsorted(cumulative, np.asarray(ratios) * cumulative[-1])]
    lows, highs = np.quantile(found, _TAILS, axis=0)
    return [Interval(float(low), float(high)) for low, high in zip(lows, highs, strict=True)]


def _thin_to_quantiles(gaps: Floats) -> Floats:
    if gaps.size <= _QUANTILES_PER_REPETITION:
        return gaps
    middles = (np.arange(_QUANTILES_PER_REPETITION) + 0.5) / _QUANTILES_PER_REPETITION
    return np.quantile(gaps, middles)


def _resamples(count: int, resamples: int) -> Iterator[NDArray[np.int64]]:
    """``resamples`` rows of ``count`` indices drawn with replacement, some rows at a time; the same on every call."""
    generator = np.random.default_rng(_SEED)
    rows_at_once = max(1, _INDICES_AT_ONCE // count)
    for first in range(0, resamples, rows_at_once):
        yield generator.integers(0, count, (min(rows_at_once, resamples - first), count))


def drift_ratio(values: Sequence[float]) -> float | None:
    """How far ``values`` moved from the first to the last, as a share of their median, if they drift; else ``None``.

    The slope is the Theil-Sen estimate, the median of all pairwise slopes; whether there is a trend at all is the
    Mann-Kendall test's to say (normal approximation with continuity correction, good enough from five values on).
    """
    count = len(values)
    if count < INTERVAL_MIN_REPETITIONS:
        return None
    sequence = np.asarray(values, np.float64)
    earlier, later = np.triu_indices(count, 1)
    differences = sequence[later] - sequence[earlier]
    score = abs(float(np.sign(differences).sum()))
    variance = count * (count - 1) * (2 * count + 5) / 18
    probability = math.erfc(max(score - 1, 0) / math.sqrt(2 * variance))
    moved_ratio = float(np.median(differences / (later - earlier))) * (count - 1) / float(np.median(sequence))
    if probability >= DRIFT_SIGNIFICANCE or abs(moved_ratio) < DRIFT_MIN_RATIO:
        return None
    return moved_ratio
