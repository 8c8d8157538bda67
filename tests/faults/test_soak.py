"""Thirty devices for ten minutes: nothing lost, and memory that stays where it was at both ends."""

import statistics
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.collector.service import CollectorProcess
from tests.faults.traffic import check_store

DEVICES = 30
FRAMES_PER_SECOND = 5
# What allocators and SQLite's caches may still take after the first quarter.
SLACK_BYTES = 4_000_000
SLACK_RATIO = 0.05


@pytest.mark.timeout(1200)
@pytest.mark.prove(short=1, whole=1)
def test_memory_stays_flat_at_both_ends(tmp_path: Path, proof_seed: int, pytestconfig: pytest.Config) -> None:
    seconds = 600 if pytestconfig.getoption("--prove") else 12
    with CollectorProcess(tmp_path) as collector:
        arguments = [str(tmp_path), str(collector.grpc_port), str(DEVICES), str(seconds), str(FRAMES_PER_SECOND)]
        with subprocess.Popen([sys.executable, "-m", "tests.faults.fleet", *arguments]) as fleet:
            ends = [psutil.Process(fleet.pid), psutil.Process(collector.process.pid)]
            resident: list[list[int]] = [[], []]
            while True:
                try:
                    fleet.wait(seconds / 100)
                    break
                except subprocess.TimeoutExpired:
                    for end, bytes_now in zip(ends, resident, strict=True):
                        bytes_now.append(end.memory_info().rss)
            assert fleet.returncode == 0
    for bytes_over_time in resident:
        quarter = len(bytes_over_time) // 4
        early = statistics.median(bytes_over_time[quarter : 2 * quarter])
        late = statistics.median(bytes_over_time[-quarter:])
        assert late < early * (1 + SLACK_RATIO) + SLACK_BYTES, f"memory grew from {early} to {late} bytes"
    for number in range(DEVICES):
        tags = range(1, seconds * FRAMES_PER_SECOND + 1)
        check_store(tmp_path / "edgeprof.sqlite", tags, run_id=f"run-{number}")
