from pathlib import Path

import pytest

from edgeprof_agent.sensors import cpu_throttle
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from tests.agent.sensors.devices import close


def cpu(root: Path, number: int, package: int, core: int, **files: int) -> Path:
    folder = root / f"sys/devices/system/cpu/cpu{number}"
    (folder / "topology").mkdir(parents=True)
    (folder / "topology/physical_package_id").write_text(f"{package}\n")
    (folder / "topology/core_id").write_text(f"{core}\n")
    (folder / "thermal_throttle").mkdir()
    for name, value in files.items():
        (folder / "thermal_throttle" / name).write_text(f"{value}\n")
    return folder / "thermal_throttle"


def values(sensor: Sensor) -> dict[tuple[str, ...], float]:
    return {
        (channel.metric.removeprefix("edgeprof_cpu_"), *(label for _, label in channel.labels)): value
        for channel, value in sensor.sample()
    }


def test_a_core_counts_once_and_so_does_a_package(tmp_path: Path) -> None:
    for number, (package, core, events) in enumerate([(0, 0, 3), (0, 0, 3), (0, 1, 4), (1, 0, 9)]):
        times = {"core_throttle_total_time_ms": 100 * events, "package_throttle_total_time_ms": 2500}
        cpu(tmp_path, number, package, core, core_throttle_count=events, package_throttle_count=20 + package, **times)
    sensor = cpu_throttle.discover(tmp_path)
    assert sensor is not None
    assert values(sensor) == {
        ("throttle_events_total", "0", "core"): 7,
        ("throttle_events_total", "0", "package"): 20,
        ("throttle_events_total", "1", "core"): 9,
        ("throttle_events_total", "1", "package"): 21,
        ("throttled_seconds_total", "0", "core"): 0.7,
        ("throttled_seconds_total", "0", "package"): 2.5,
        ("throttled_seconds_total", "1", "core"): 0.9,
        ("throttled_seconds_total", "1", "package"): 2.5,
    }
    close((sensor,))


def test_a_kernel_that_tells_no_times_has_events_alone(tmp_path: Path) -> None:
    cpu(tmp_path, 0, 0, 0, core_throttle_count=1)
    sensor = cpu_throttle.discover(tmp_path)
    assert sensor is not None
    assert values(sensor) == {("throttle_events_total", "0", "core"): 1}
    close((sensor,))


def test_a_core_that_goes_away_takes_its_sum_with_it_instead_of_lowering_it(tmp_path: Path) -> None:
    cpu(tmp_path, 0, 0, 0, core_throttle_count=5, package_throttle_count=2)
    going = cpu(tmp_path, 1, 0, 1, core_throttle_count=6, package_throttle_count=2)
    sensor = cpu_throttle.discover(tmp_path)
    assert sensor is not None
    (going / "core_throttle_count").write_text("")
    assert values(sensor) == {("throttle_events_total", "0", "package"): 2}
    (tmp_path / "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count").write_text("")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))


def test_processors_that_do_not_count_have_no_sensor(tmp_path: Path) -> None:
    assert cpu_throttle.discover(tmp_path) is None
