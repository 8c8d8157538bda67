"""What an idle agent writes, in a short form of ``benchmarks/spool_writes.py``."""

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel counts a process's writes in /proc/self/io")
@pytest.mark.parametrize(("connected", "share_of_budget"), [(True, 0.05), (False, 1.0)])
def test_an_idle_day_writes_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connected: bool, share_of_budget: float
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY))
    from benchmarks.spool_writes import BUDGET_BYTES, FRAMES_PER_DAY, spool_idle_frames

    cost = spool_idle_frames(tmp_path, FRAMES_PER_DAY // 20, connected=connected)
    assert 0 < cost.per_day(cost.written_bytes) < share_of_budget * BUDGET_BYTES
