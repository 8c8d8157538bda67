import sys
from pathlib import Path

import pytest

from edgeprof_agent.engines.processors import physical_cores

linux_only = pytest.mark.skipif(sys.platform == "darwin", reason="macOS answers by sysctl, not by files")


def write_topology(root: Path, siblings: list[str]) -> None:
    for number, text in enumerate(siblings):
        folder = root / f"sys/devices/system/cpu/cpu{number}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(text + "\n")
    (root / "sys/devices/system/cpu/cpufreq").mkdir()


@linux_only
def test_hyperthreads_count_once(tmp_path: Path) -> None:
    write_topology(tmp_path, ["0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"])
    assert physical_cores(tmp_path) == 4


@linux_only
def test_efficiency_cores_of_intel_do_not_count(tmp_path: Path) -> None:
    write_topology(tmp_path, ["0-1", "0-1", "2-3", "2-3", "4", "5", "6", "7"])
    fast = tmp_path / "sys/devices/cpu_core"
    fast.mkdir()
    (fast / "cpus").write_text("0-3\n")
    assert physical_cores(tmp_path) == 2


@linux_only
def test_without_topology_every_processor_counts(tmp_path: Path) -> None:
    assert physical_cores(tmp_path) >= 1


def test_this_machine_has_some() -> None:
    assert physical_cores() >= 1
