from pathlib import Path

import psutil

from edgeprof.telemetry import Reading
from edgeprof_agent.sensors import memory
from edgeprof_agent.sensors.memory import PsutilAvailable, PsutilTotals
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sensors.devices import close


def values(readings: list[Reading]) -> dict[str, float]:
    return {channel.metric.removeprefix("edgeprof_"): value for channel, value in readings}


def discover(root: Path, meminfo: str) -> tuple[Sensor, ...]:
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(meminfo)
    return memory.discover(root)


def test_kilobytes_are_kibibytes(tmp_path: Path) -> None:
    sensors = discover(
        tmp_path,
        "MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    600 kB\nSwapTotal:  200 kB\nSwapFree:  50 kB\n",
    )
    assert values([reading for sensor in sensors for reading in sensor.sample()]) == {
        "memory_available_bytes": 600 * 1024,
        "memory_total_bytes": 1000 * 1024,
        "swap_used_bytes": 150 * 1024,
    }
    close(sensors)


def test_a_host_without_swap_has_no_swap_reading(tmp_path: Path) -> None:
    _, totals = sensors = discover(tmp_path, "MemTotal:  1000 kB\nSwapTotal:  0 kB\nSwapFree:  0 kB\n")
    assert values(list(totals.sample())) == {"memory_total_bytes": 1000 * 1024}
    close(sensors)


def test_a_kernel_without_the_estimate_has_no_available_memory(tmp_path: Path) -> None:
    available, _ = sensors = discover(tmp_path, "MemTotal:  1000 kB\nMemFree:  500 kB\n")
    assert available.sample() == ()
    close(sensors)


def test_psutil_gives_the_same_channels_from_its_own_source() -> None:
    readings = [*PsutilAvailable().sample(), *PsutilTotals().sample()]
    assert values(readings)["memory_total_bytes"] == psutil.virtual_memory().total
    assert set(values(readings)) == {"memory_available_bytes", "memory_total_bytes", "swap_used_bytes"}
    assert all(channel.source.startswith("psutil.") for channel, _ in readings)
