"""Clocks during a repetition, and whether they lay below those of the step's best one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeprof_collector.analysis.placement import CPU
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.repetitions import RecordedRepetition
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.telemetry_window import samples_during, series_of
from edgeprof_collector.analysis.thresholds import THROTTLED_CLOCK_RATIO, THROTTLED_MIN_SAMPLES
from edgeprof_collector.analysis.verdict import Flag, RaisedFlag

_SHADER_DOMAIN = ("domain", "sm")


def cpu_clock_hertz(series: Sequence[Series], start_ns: int, end_ns: int, least_samples: int = 1) -> float | None:
    """The highest of the cores' median clocks. Idle cores run slower, and by chance, so they say nothing."""
    return _highest_median(series_of(series, "edgeprof_cpu_frequency_hertz"), start_ns, end_ns, least_samples)


def gpu_clock_hertz(
    series: Sequence[Series], processor: str | None, start_ns: int, end_ns: int, least_samples: int = 1
) -> float | None:
    """The median clock of the GPU's cores: of the GPU that ran the model, or of the fastest if that is not known."""
    clocks = [each for each in series_of(series, "edgeprof_gpu_clock_hertz") if _SHADER_DOMAIN in each.channel.labels]
    own = [each for each in clocks if ("gpu", processor) in each.channel.labels]
    return _highest_median(own or clocks, start_ns, end_ns, least_samples)


def clocks_held_back(
    series: Sequence[Series], repetitions: Sequence[RecordedRepetition], processor: str | None
) -> list[tuple[RaisedFlag, ...]]:
    """Per repetition, a flag for each clock below that of the step's best one; none if too few samples tell.

    A GPU's clock counts only where it ran the model: otherwise nothing keeps it up.
    """
    spans = [(each.start_monotonic_ns, each.end_monotonic_ns) for each in repetitions]
    clocks = {"CPU": [cpu_clock_hertz(series, *span, THROTTLED_MIN_SAMPLES) for span in spans]}
    if processor not in (None, CPU):
        clocks["GPU"] = [gpu_clock_hertz(series, processor, *span, THROTTLED_MIN_SAMPLES) for span in spans]
    best_hertz = {whose: max((hertz for hertz in found if hertz), default=0.0) for whose, found in clocks.items()}
    return [
        tuple(
            RaisedFlag(flag=Flag.THROTTLED, evidence=_slower(whose, hertz, best_hertz[whose]))
            for whose, found in clocks.items()
            if (hertz := found[index]) is not None and hertz < best_hertz[whose] * THROTTLED_CLOCK_RATIO
        )
        for index in range(len(repetitions))
    ]


def _highest_median(clocks: Sequence[Series], start_ns: int, end_ns: int, least_samples: int) -> float | None:
    """From samples inside the window alone: a clock changes at once when work begins, so none can be interpolated."""
    inside = [samples_during(each, start_ns, end_ns) for each in clocks]
    return max((_median(samples) for samples in inside if samples.size >= least_samples), default=None)


def _median(samples: NDArray[np.float64]) -> float:
    """As numpy's, in half the time: a run of an hour has 20,000 of them."""
    middle = samples.size // 2
    if samples.size % 2:
        return float(np.partition(samples, middle)[middle])
    return float(np.partition(samples, (middle - 1, middle))[middle - 1 : middle + 1].mean())


def _slower(whose: str, hertz: float, best_hertz: float) -> str:
    return f"{whose} clock at {text_of(hertz, 'hertz')}, {hertz / best_hertz:.0%} of the step's best repetition"
