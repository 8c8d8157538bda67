import dataclasses
from pathlib import Path

from edgeprof_agent.ceilings.kept import keep_memory_bandwidth, kept_memory_bandwidth
from edgeprof_agent.ceilings.memory_bandwidth import MemoryBandwidth

from .test_memory_bandwidth import device

FACTS = dataclasses.replace(device(4), cpu_model="A CPU")
BOOT_ID = b"0123456789abcdef"
MEASURED = MemoryBandwidth(
    read_kernel="memchr",
    read_threads=4,
    read_bytes_per_second=3e10,
    copy_kernel="memcpy",
    copy_threads=2,
    copy_bytes_per_second=4e10,
)


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert kept_memory_bandwidth(tmp_path / "none", BOOT_ID, FACTS) is None


def test_the_latest_is_kept_for_this_boot_and_this_cpu(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    keep_memory_bandwidth(folder, BOOT_ID, FACTS, MEASURED)
    faster = dataclasses.replace(MEASURED, read_bytes_per_second=4e10)
    keep_memory_bandwidth(folder, BOOT_ID, FACTS, faster)
    assert kept_memory_bandwidth(folder, BOOT_ID, FACTS) == faster
    assert kept_memory_bandwidth(folder, b"another boot id!", FACTS) is None
    assert kept_memory_bandwidth(folder, BOOT_ID, dataclasses.replace(FACTS, cpu_model="Another CPU")) is None
    assert [path.name for path in folder.iterdir()] == ["memory-bandwidth.json"]


def test_a_broken_file_counts_as_none(tmp_path: Path) -> None:
    keep_memory_bandwidth(tmp_path, BOOT_ID, FACTS, MEASURED)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:40])
    assert kept_memory_bandwidth(tmp_path, BOOT_ID, FACTS) is None
