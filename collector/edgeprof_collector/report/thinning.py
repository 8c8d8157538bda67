"""Thinning of long series to what a plot can show, without losing a peak."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BUCKETS = 500
# Where samples are further apart than so many usual intervals, some are missing, and no line is drawn.
_BREAK_INTERVALS = 4.0


def thin(times: Floats, values: Floats, buckets: int = BUCKETS) -> tuple[Floats, Floats]:
    """Keep the lowest and the highest value of each of ``buckets`` equal stretches of time, in the order of time."""
    if times.size <= 2 * buckets:
        return times, values
    bucket = np.minimum((times - times[0]) / (times[-1] - times[0]) * buckets, buckets - 1).astype(np.int64)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    ordered = np.lexsort((values, bucket))
    lowest = ordered[starts]
    highest = ordered[np.append(starts[1:], times.size) - 1]
    kept = np.unique(np.concatenate([lowest, highest]))
    return times[kept], values[kept]


def unbroken_stretches(times: Floats) -> list[slice]:
    """The stretches of ``times`` without a gap."""
    if times.size < 2:
        return [slice(0, times.size)] if times.size else []
    intervals = np.diff(times)
    usual = np.median(intervals[intervals > 0]) if np.any(intervals > 0) else 0.0
    breaks = np.flatnonzero(intervals > usual * _BREAK_INTERVALS) + 1
    bounds = [0, *breaks.tolist(), times.size]
    return [slice(first, last) for first, last in pairwise(bounds)]
