"""Runs that slow down for real, on a stand-in device whose clocks fall with them."""

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeprof.catalogue import channel
from edgeprof.plan import Variant
from edgeprof.run import Request, RunEvent
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.verdict import Severity

from .control_group import control_group, python_within
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


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="limiting the CPU needs Linux and root")
@pytest.mark.parametrize("is_limited", [True, False])
def test_an_engine_that_gets_less_of_the_cpu_is_slower_by_what_it_lost(
    lab: Lab, tmp_path: Path, *, is_limited: bool
) -> None:
    """After three repetitions the kernel gives the engine a twentieth of a core, as a clock that falls would."""
    with control_group("cpu", ()) as group:

        def limit(event: RunEvent) -> None:
            if is_limited and isinstance(event, Request) and event.step and event.step.repetition == FALLS_AFTER - 1:
                limit_cpu(group)

        plan = plan_of(decode(200), repetitions=2 * FALLS_AFTER)
        variant = Variant(name="held", options={"threads": "1"}, python=python_within(group, tmp_path))
        recorded = dataclasses.replace(lab, on_event=limit).run(dataclasses.replace(plan, variants=(variant,)))
    clock = readings(
        recorded, "edgeprof_cpu_frequency_hertz", lambda n: 2e8 if is_limited and n >= FALLS_AFTER else 4e9, core="0"
    )
    found = dataclasses.replace(recorded, series=(clock,)).found(FindingName.THROTTLED)
    assert bool(found) is is_limited
    for finding in found:
        assert finding.severity is Severity.WARNING
        assert finding.evidence.startswith("3 of 6 repetitions: CPU clock at 200 MHz, 5% of the step's best repetition")
        assert " tokens/s then, " in finding.evidence
        assert "CPU clock 4.00 GHz, then 200 MHz" in finding.evidence


def limit_cpu(group: Path) -> None:
    """Give the group a twentieth of a core from now on."""
    first, second = group / "cpu.cfs_quota_us", group / "cpu.max"
    if first.exists():
        first.write_text("5000", encoding="ascii")
    else:
        second.write_text("5000 100000", encoding="ascii")
