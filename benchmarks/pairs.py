"""Ratios of interleaved pairs: what a shared and noisy machine can still tell."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 10_000


def median_with_interval(values: Sequence[float], seed: int = 1) -> tuple[float, float, float]:
    """Return the median and its 95 % bootstrap interval."""
    data = np.asarray(values, dtype=float)
    picks = np.random.default_rng(seed).integers(0, len(data), size=(RESAMPLES, len(data)))
    low, high = np.percentile(np.median(data[picks], axis=1), (2.5, 97.5))
    return float(np.median(data)), float(low), float(high)


def ratio_text(name: str, ratios: Sequence[float]) -> str:
    """One line: the median ratio, its interval, and from how many pairs."""
    median, low, high = median_with_interval(ratios)
    return f"{name:<34} {median:.4f}   95 % interval {low:.4f} to {high:.4f}   {len(ratios)} pairs"
