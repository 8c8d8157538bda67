from pathlib import Path

import pytest

from edgeprof_agent.sensors import thermal_zone
from edgeprof_agent.sensors.celsius import celsius
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from tests.agent.sensors.devices import close


def zone(root: Path, number: int, kind: str, temperature: str) -> Path:
    folder = root / f"sys/class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{kind}\n")
    (folder / "temp").write_text(temperature)
    return folder / "temp"


def places(sensor: Sensor) -> dict[str, float]:
    return {dict(channel.labels)["place"]: value for channel, value in sensor.sample()}


@pytest.mark.parametrize(
    ("raw_mc", "value"),
    [
        (49925, 49.925),
        (-12500, -12.5),
        (1, 0.001),
        (0, None),
        (-256000, None),
        (-44000, None),
        (-40000, None),
        (124900, 124.9),
        (127000, None),
        (None, None),
    ],
)
def test_only_temperatures_that_can_be_true(raw_mc: int | None, value: float | None) -> None:
    assert celsius(raw_mc) == value


def test_zones_of_one_type_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    for number, kind in ((0, "acpitz"), (2, "acpitz"), (10, "gpu-thermal")):
        zone(tmp_path, number, kind, f"{40 + number}000\n")
    sensor = thermal_zone.discover(tmp_path)
    assert sensor is not None
    assert places(sensor) == {"acpitz_0": 40.0, "acpitz_2": 42.0, "gpu-thermal": 50.0}
    assert sensor.sample()[2].channel.source == "/sys/class/thermal/thermal_zone10/temp"
    close((sensor,))


def test_a_zone_that_is_powered_down_comes_back(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "45000\n")
    gpu = zone(tmp_path, 1, "gpu-thermal", "")
    sensor = thermal_zone.discover(tmp_path)
    assert sensor is not None
    assert places(sensor) == {"cpu-thermal": 45.0}
    gpu.write_text("44500\n")
    assert places(sensor) == {"cpu-thermal": 45.0, "gpu-thermal": 44.5}
    close((sensor,))


def test_a_zone_that_fails_while_its_device_is_gated_is_left_out(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "45000\n")
    gpu = zone(tmp_path, 1, "gpu-thermal", "")
    gpu.unlink()
    gpu.mkdir()  # opening it succeeds and reading it fails, as with the kernel's file
    zone(tmp_path, 2, "PMIC-Die", "100000\n")
    sensor = thermal_zone.discover(tmp_path)
    assert sensor is not None
    assert places(sensor) == {"cpu-thermal": 45.0}
    close((sensor,))


def test_zones_that_give_nothing_are_no_sensor(tmp_path: Path) -> None:
    zone(tmp_path, 0, "acpitz", "-44000\n")
    assert thermal_zone.discover(tmp_path) is None


def test_zones_that_are_all_gone_are_an_error(tmp_path: Path) -> None:
    temperature = zone(tmp_path, 0, "cpu-thermal", "45000\n")
    sensor = thermal_zone.discover(tmp_path)
    assert sensor is not None
    temperature.write_text("")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))
