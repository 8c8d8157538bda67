"""Ratios of interleaved pairs: what a shared and noisy machine can still tell."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 10_000


Ratios = Sequence[float] | Sequence[Sequence[float]]


def median_with_interval(values: Ratios, seed: int = 1) -> tuple[float, float, float]:
    """Return the median and its 95 % bootstrap interval.

    Values in groups of one size, such as those of one pair of processes, are drawn group by group: they are alike.
    """
    data = np.asarray(values, dtype=float)
    groups = data.reshape(len(data), -1)
    picks = np.random.default_rng(seed).integers(0, len(groups), size=(RESAMPLES, len(groups)))
    low, high = np.percentile(np.median(groups[picks].reshape(RESAMPLES, -1), axis=1), (2.5, 97.5))
    return float(np.median(data)), float(low), float(high)


def ratio_text(name: str, ratios: Ratios) -> str:
    """One line: the median ratio, its interval, and from how many pairs."""
    median, low, high = median_with_interval(ratios)
    pairs = np.size(ratios)
    groups = f" in {len(ratios)}" if len(ratios) < pairs else ""
    return f"{name:<34} {median:.4f}   95 % interval {low:.4f} to {high:.4f}   {pairs} pairs{groups}"
