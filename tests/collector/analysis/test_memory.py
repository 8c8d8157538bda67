from dataclasses import replace

import pytest

from edgeprof_collector.analysis.memory import memory_verdict
from edgeprof_collector.analysis.repetitions import last_moment_ns
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.analysis.verdict import MemoryVerdict

from .sample_run import DEVICE, GPU, Scenario, sample_run

MIB = 2**20


def judged(scenario: Scenario, *, finished: bool = True) -> MemoryVerdict:
    record, telemetry = sample_run(scenario)
    if not finished:
        record = replace(record, finished=None)
    return memory_verdict(record, collect_series(telemetry), last_moment_ns(record))


def test_the_peak_is_the_kernels_high_water_mark() -> None:
    memory = judged(Scenario(peak_resident_bytes=4096 * MIB))
    assert memory.peak_resident_bytes == 4096 * MIB
    assert memory.peak_source == "the kernel's high-water mark"
    assert memory.headroom_ratio == pytest.approx(0.75)
    assert memory.lowest_available_bytes == pytest.approx(16 * 2**30 * 0.8 - 4096 * MIB, abs=65536)


def test_file_backed_pages_are_told_apart() -> None:
    memory = judged(Scenario(peak_resident_bytes=1000 * MIB))
    assert memory.file_backed_bytes == pytest.approx(640 * MIB, abs=4096)
    assert memory.anonymous_bytes == pytest.approx(360 * MIB, abs=4096)


def test_without_the_mark_the_highest_sample_is_named_as_such() -> None:
    memory = judged(Scenario(peak_resident_bytes=1000 * MIB), finished=False)
    assert memory.peak_resident_bytes == 1000 * MIB
    assert memory.peak_source.startswith("the highest sample")


def test_memory_of_a_gpu_of_its_own_counts() -> None:
    device = replace(DEVICE, accelerators=(GPU,))
    memory = judged(Scenario(device=device, peak_resident_bytes=4300 * MIB))
    [gpu] = memory.devices
    assert gpu.gpu == "gpu0"
    assert gpu.peak_used_bytes == pytest.approx(0.4 * 2**30 + 4300 * MIB, abs=65536)
    assert gpu.used_before_bytes == pytest.approx(0.4 * 2**30, abs=65536)
    assert memory.headroom_ratio == pytest.approx(1 - (0.4 * 1024 + 4300) / (6 * 1024), abs=1e-4)


def test_unified_memory_is_counted_once() -> None:
    device = replace(DEVICE, accelerators=(replace(GPU, unified_memory=True),))
    memory = judged(Scenario(device=device, peak_resident_bytes=4096 * MIB))
    assert memory.devices == ()
    assert memory.headroom_ratio == pytest.approx(0.75)


def test_what_nothing_tells_is_absent() -> None:
    record, _ = sample_run()
    record = replace(record, finished=None)
    memory = memory_verdict(record, (), last_moment_ns(record))
    assert memory.peak_resident_bytes is None
    assert memory.headroom_ratio is None
    assert memory.peak_source == ""
