import os
from pathlib import Path

import pytest

from edgeprof_agent.sensors import paging
from tests.agent.sensors.devices import close

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def values(root: Path, vmstat: str) -> dict[str, float]:
    (root / "proc").mkdir()
    (root / "proc/vmstat").write_text(vmstat)
    sensor = paging.discover(root)
    if sensor is None:
        return {}
    readings = sensor.sample()
    close((sensor,))
    return {channel.metric.removeprefix("edgeprof_"): value for channel, value in readings}


def test_swapping_is_counted_in_bytes_and_faults_as_they_are(tmp_path: Path) -> None:
    assert values(tmp_path, "pgfault 900\npgmajfault 12\npgmajfault_file 99\npswpin 3\npswpout 5\n") == {
        "major_page_faults_total": 12,
        "swap_in_bytes_total": 3 * PAGE_BYTES,
        "swap_out_bytes_total": 5 * PAGE_BYTES,
    }


def test_a_kernel_without_swap_has_faults_alone(tmp_path: Path) -> None:
    assert values(tmp_path, "pgmajfault 0\n") == {"major_page_faults_total": 0}


@pytest.mark.parametrize("content", ["", "pgmajfault\n", "pgmajfault -1\n", "xpgmajfault 4\n", "pgmajfault 4x\n"])
def test_nothing_is_made_of_garbage(content: str, tmp_path: Path) -> None:
    assert values(tmp_path, content) == {}


def test_a_device_without_the_file_has_no_sensor(tmp_path: Path) -> None:
    assert paging.discover(tmp_path) is None
