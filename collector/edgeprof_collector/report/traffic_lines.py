"""What the memory had to move by the model's arithmetic, and the most that it was measured to move."""

from collections.abc import Iterator

import numpy as np

from edgeprof_collector.analysis.verdict import FigureName, Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.telemetry_lines import Line, TimeSpan


def needed_traffic(verdict: Verdict, span: TimeSpan) -> Iterator[Line]:
    """The achieved bandwidth of each repetition of a decode step, over its time: derived, not measured."""
    stretches = []
    for step in verdict.steps:
        achieved = step.figure(FigureName.ACHIEVED_BANDWIDTH)
        rates = {sample.repetition: sample.value for sample in achieved.samples} if achieved else {}
        for repetition in step.repetitions:
            if repetition.index in rates:
                ends = span.seconds_of((repetition.start_monotonic_ns, repetition.end_monotonic_ns))
                stretches.append((*ends, rates[repetition.index]))
    if stretches:
        starts, ends, values = np.array(sorted(stretches)).T
        times = np.stack([starts, ends], axis=1).ravel()
        yield Line("needed by weights and KV cache, derived", times, np.repeat(values, 2), in_pairs=True)


def measured_peaks(verdict: Verdict, span: TimeSpan) -> Iterator[Line]:
    """The highest read peak measured on each processor, over the whole run."""
    times = np.array([span.seconds.low, span.seconds.high])
    highest: dict[str, float] = {}
    for ceiling in verdict.ceilings:
        highest[ceiling.processor] = max(highest.get(ceiling.processor, 0.0), ceiling.read_bytes_per_second)
    for processor, rate in highest.items():
        yield Line(f"read peak measured on {clean(processor)}", times, np.full(2, rate))
