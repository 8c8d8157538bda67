"""A run whose every text tries to break out of the page."""

from dataclasses import replace

from edgeprof.run import RunState
from tests.collector.analysis.sample_run import DEVICE, MODEL, QUICK, Scenario

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'--><!--<script>&amp;"


def hostile_scenario() -> Scenario:
    """A failed run of a device, a model and a plan with such names."""
    step = replace(QUICK.steps[1], name=HOSTILE)
    return Scenario(
        plan=replace(QUICK, name=HOSTILE, steps=(*QUICK.steps, step)),
        model=replace(MODEL, name=HOSTILE, architecture=HOSTILE, path=HOSTILE),
        device=replace(DEVICE, hostname=HOSTILE, cpu_model=HOSTILE, labels={HOSTILE: HOSTILE}),
        state=RunState.FAILED,
        cause=HOSTILE,
    )
