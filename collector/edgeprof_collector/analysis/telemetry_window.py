"""Values of series over a stretch of time: means, and differences of counters."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.thresholds import INTERPOLATION_MAX_SECONDS, THINNED_MIN_BUCKETS

_SECOND_NS = 1_000_000_000


def series_of(series: Iterable[Series], metric: str) -> tuple[Series, ...]:
    """The channels of one metric that have values."""
    return tuple(each for each in series if each.channel.metric == metric and each.values.size)


def samples_during(series: Series, start_ns: int, end_ns: int) -> NDArray[np.float64]:
    """The samples in the window, both ends included; of what was thinned, the means of buckets wholly in it."""
    return _during(series, series.values, start_ns, end_ns)


def _during(series: Series, values: NDArray[np.float64], start_ns: int, end_ns: int) -> NDArray[np.float64]:
    first, last = np.searchsorted(series.times_monotonic_ns, (start_ns, end_ns + 1))
    if series.thinned is None:
        return values[first:last]
    return values[first:last][series.thinned.starts_monotonic_ns[first:last] >= start_ns]


def mean_during(series: Series, start_ns: int, end_ns: int) -> float | None:
    """Mean of the samples in the window; of a window between two samples, the value interpolated at its middle.

    ``None`` where a series was thinned and the window holds no whole bucket.
    """
    inside = samples_during(series, start_ns, end_ns)
    if not inside.size and series.thinned is not None:
        return None
    return float(inside.mean()) if inside.size else value_at(series, (start_ns + end_ns) // 2)


def highest_during(series: Series, start_ns: int, end_ns: int) -> float | None:
    """Highest sample in the window; ``None`` if it holds none."""
    inside = _during(series, series.thinned.highest if series.thinned else series.values, start_ns, end_ns)
    return float(inside.max()) if inside.size else None


def lowest_during(series: Series, start_ns: int, end_ns: int) -> float | None:
    """Lowest sample in the window; ``None`` if it holds none."""
    inside = _during(series, series.thinned.lowest if series.thinned else series.values, start_ns, end_ns)
    return float(inside.min()) if inside.size else None


def last_before(series: Series, time_ns: int) -> float | None:
    """The last sample before ``time_ns``; ``None`` if there is none."""
    index = int(np.searchsorted(series.times_monotonic_ns, time_ns)) - 1
    return float(series.values[index]) if index >= 0 else None


def value_at(series: Series, time_ns: int, reach_seconds: float = INTERPOLATION_MAX_SECONDS) -> float | None:
    """The value at ``time_ns``, interpolated between its two neighbours.

    ``None`` outside the series, and where the neighbours are further than ``reach_seconds`` apart.
    """
    times = series.times_monotonic_ns
    after = int(np.searchsorted(times, time_ns))
    if after < times.size and times[after] == time_ns:
        return float(series.values[after])
    if after in (0, times.size) or times[after] - times[after - 1] > reach_seconds * _SECOND_NS:
        return None
    share = (time_ns - int(times[after - 1])) / (int(times[after]) - int(times[after - 1]))
    return float(series.values[after - 1] + share * (series.values[after] - series.values[after - 1]))


def counter_increase(
    series: Series, start_ns: int, end_ns: int, reach_seconds: float = INTERPOLATION_MAX_SECONDS
) -> float | None:
    """How far a counter grew in the window.

    ``None`` where either end cannot be interpolated, or where the counter fell: it was reset. Likewise where the series
    was thinned to buckets that the window is too short for.
    """
    if series.thinned is not None:
        if end_ns - start_ns < THINNED_MIN_BUCKETS * series.thinned.bucket_ns:
            return None
        # From the end of one bucket to that of the next it is up to two.
        reach_seconds = max(reach_seconds, 2 * series.thinned.bucket_ns / _SECOND_NS)
    start, end = value_at(series, start_ns, reach_seconds), value_at(series, end_ns, reach_seconds)
    if start is None or end is None:
        return None
    first, last = np.searchsorted(series.times_monotonic_ns, (start_ns, end_ns))
    around = series.values[max(first - 1, 0) : last + 1]
    return None if np.any(np.diff(around) < 0) else end - start
