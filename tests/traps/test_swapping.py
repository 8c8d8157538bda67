"""A memory limit under what the model takes, and a swap file for the rest."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from edgeprof.plan import Variant
from edgeprof_collector.analysis.finding_name import FindingName

from .control_group import control_group, python_within, swap_file
from .lab import Lab, decode, plan_of

SWAP_BYTES = 256 << 20
ENOUGH_BYTES = 1 << 30
# The interpreter and llama.cpp take 45 MiB, the model's weights 34 MiB, of which each token needs the half.
TOO_LITTLE_BYTES = 40 << 20

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="swap and memory limits need Linux and root"
)


@pytest.mark.parametrize(("limit_bytes", "is_found"), [(TOO_LITTLE_BYTES, True), (ENOUGH_BYTES, False)])
def test_a_model_that_is_swapped_is_found(
    lab: Lab, wide_model: str, tmp_path: Path, limit_bytes: int, *, is_found: bool
) -> None:
    limit = (("memory.limit_in_bytes", "memory.max", str(limit_bytes)),)
    with swap_file(tmp_path, SWAP_BYTES), control_group("memory", limit) as group:
        options = {"threads": "1", "mmap": "off", "repack": "false"}
        variant = Variant(name="held", options=options, python=python_within(group, tmp_path))
        plan = dataclasses.replace(plan_of(decode(6), repetitions=2), variants=(variant,))
        found = dataclasses.replace(lab, sampled=True).run(plan, model=wide_model).found(FindingName.PAGING)
    assert bool(found) is is_found
    for finding in found:
        assert finding.title == "Memory was read back from swap while the model was measured"
        assert " came back from swap" in finding.evidence
