"""A real hog on every core beside the engine."""

import dataclasses
import multiprocessing

import psutil

from edgeprof_collector.analysis.finding_name import FindingName

from .lab import Lab, decode, plan_of


def burn() -> None:
    while True:
        pass


def test_a_hog_on_every_core_is_found(lab: Lab, wide_model: str) -> None:
    context = multiprocessing.get_context("spawn")
    hogs = [context.Process(target=burn, daemon=True) for _ in range(psutil.cpu_count() or 1)]
    for hog in hogs:
        hog.start()
    try:
        recorded = dataclasses.replace(lab, sampled=True).run(plan_of(decode(48), repetitions=2), model=wide_model)
    finally:
        for hog in hogs:
            hog.kill()
            hog.join()
    finding = recorded.the_one(FindingName.BUSY_MACHINE)
    assert finding.evidence.startswith("in 2 of 2 repetitions other processes took ")
