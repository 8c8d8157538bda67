"""Weights that the kernel takes away from a running engine, as it does when memory is short."""

import dataclasses

import pytest

from edgeprof_collector.analysis.finding_name import FindingName

from .lab import SPOILT_ENGINE, Lab, decode, plan_of


@pytest.mark.parametrize(("spoilt", "is_found"), [("loses its weights", True), ("no", False)])
def test_weights_that_are_read_from_the_disk_again_are_found(lab: Lab, spoilt: str, is_found: bool) -> None:
    sampled = dataclasses.replace(lab, sampled=True)
    variants = {"only": {"mmap": "on", "repack": "false", "spoilt": spoilt}}
    plan = plan_of(decode(3), repetitions=2, variants=variants)
    found = sampled.run(plan, engine=SPOILT_ENGINE).found(FindingName.PAGING)
    assert bool(found) is is_found
    for finding in found:
        assert finding.title == "Memory was read back from a disk while the model was measured"
        assert "most in decode 3 @ 0: " in finding.evidence
