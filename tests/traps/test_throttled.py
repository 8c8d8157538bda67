"""A run that slows down for real, on a stand-in device whose clocks fall with it."""

import dataclasses
from collections.abc import Callable

import numpy as np

from edgeprof.catalogue import channel
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.verdict import Severity

from .lab import SPOILT_ENGINE, Lab, Recorded, decode, plan_of

FALLS_AFTER = 3
PLAN = plan_of(decode(96), repetitions=6, variants={"hot": {"spoilt": "slows down"}})


def readings(recorded: Recorded, metric: str, value: Callable[[int], float], **labels: str) -> Series:
    """Five samples in each repetition, of the value that the stand-in has in it."""
    times, values = [], []
    for request in recorded.record.requests:
        assert request.step is not None
        times += list(np.linspace(request.start_monotonic_ns, request.end_monotonic_ns, 5, dtype=np.int64))
        values += [value(request.step.repetition)] * 5
    return Series(
        channel=channel(metric, "stand-in", **labels),
        times_monotonic_ns=np.array(times, np.int64),
        values=np.array(values, np.float64),
    )


def test_clocks_that_fall_explain_a_rate_that_falls(lab: Lab) -> None:
    recorded = lab.run(PLAN, engine=SPOILT_ENGINE)
    clock = readings(recorded, "edgeprof_cpu_frequency_hertz", lambda n: 3e9 if n < FALLS_AFTER else 1.5e9, core="0")
    heat = readings(recorded, "edgeprof_temperature_celsius", lambda n: 55.0 + 8 * n, chip="k10temp", place="Tctl")
    finding = dataclasses.replace(recorded, series=(clock, heat)).the_one(FindingName.THROTTLED)
    assert finding.severity is Severity.WARNING
    assert finding.evidence.startswith("3 of 6 repetitions: CPU clock at 1.50 GHz, 50% of the step's best repetition")
    assert "decode 96 @ 0: " in finding.evidence
    assert "55 °C at the start, 95 °C at the end; CPU clock 3.00 GHz, then 1.50 GHz" in finding.evidence


def test_clocks_that_stay_hold_nothing_back(lab: Lab) -> None:
    recorded = lab.run(plan_of(decode(96)))
    clock = readings(recorded, "edgeprof_cpu_frequency_hertz", lambda _: 3e9, core="0")
    assert dataclasses.replace(recorded, series=(clock,)).found(FindingName.THROTTLED) == ()
