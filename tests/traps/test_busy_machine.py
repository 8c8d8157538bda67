"""A real hog on every core beside the engine."""

import dataclasses
import subprocess
import sys

import psutil

from edgeprof_collector.analysis.finding_name import FindingName

from .lab import Lab, decode, plan_of

_BURN = [sys.executable, "-c", "while True: pass"]


def test_a_hog_on_every_core_is_found(lab: Lab, wide_model: str) -> None:
    """The decode takes a second and more: what others took is told of a step with a few samples of the CPU in it."""
    hogs = [subprocess.Popen(_BURN) for _ in range(psutil.cpu_count() or 1)]
    try:
        recorded = dataclasses.replace(lab, sampled=True).run(plan_of(decode(192), repetitions=2), model=wide_model)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    finding = recorded.the_one(FindingName.BUSY_MACHINE)
    assert finding.evidence.startswith("in 2 of 2 repetitions other processes took ")
