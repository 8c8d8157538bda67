from pathlib import Path

import pytest

from edgeprof_agent.sensors import hwmon
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from tests.agent.sensors.devices import close


def chip(root: Path, number: int, name: str, device: str = "", **files: str) -> Path:
    folder = root / f"sys/class/hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    for file, text in files.items():
        (folder / file).write_text(f"{text}\n")
    if device:
        (root / device / "power").mkdir(parents=True)
        (folder / "device").symlink_to(root / device)
    return folder


def discover(root: Path) -> Sensor:
    sensor = hwmon.discover(root)
    assert sensor is not None
    return sensor


def values(sensor: Sensor) -> dict[tuple[str, ...], float]:
    return {tuple(label for _, label in channel.labels): value for channel, value in sensor.sample()}


def test_each_quantity_in_its_base_unit(tmp_path: Path) -> None:
    chip(
        tmp_path,
        0,
        "board",
        temp1_input="51850",
        power1_input="4012000",
        power1_label="VDD",
        energy1_input="81234567890",
        in0_input="1088",
        fan1_input="900",
    )
    sensor = discover(tmp_path)
    assert values(sensor) == {("board", "temp1"): 51.85, ("board", "VDD"): 4.012, ("board", "energy1"): 81234.56789}
    assert [channel.source for channel, _ in sensor.sample()] == [
        f"/sys/class/hwmon/hwmon0/{file}" for file in ("temp1_input", "power1_input", "energy1_input")
    ]
    close((sensor,))


def test_power_is_the_average_only_where_there_is_no_momentary_value(tmp_path: Path) -> None:
    chip(tmp_path, 0, "gpu", power1_average="9000000", power2_average="8000000", power2_input="7000000")
    sensor = discover(tmp_path)
    assert values(sensor) == {("gpu", "power1"): 9.0, ("gpu", "power2"): 7.0}
    close((sensor,))


def test_chips_of_one_name_are_told_apart_by_their_devices(tmp_path: Path) -> None:
    chip(tmp_path, 0, "nvme", "devices/nvme0", temp1_input="40000")
    chip(tmp_path, 1, "nvme", "devices/nvme1", temp1_input="41000")
    chip(tmp_path, 2, "k10temp", "devices/k10", temp1_input="42000")
    sensor = discover(tmp_path)
    assert values(sensor) == {("nvme-nvme0", "temp1"): 40.0, ("nvme-nvme1", "temp1"): 41.0, ("k10temp", "temp1"): 42.0}
    close((sensor,))


def test_inputs_of_one_label_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    chip(tmp_path, 0, "ec", temp1_input="40000", temp1_label="CPU", temp10_input="41000", temp10_label="CPU")
    sensor = discover(tmp_path)
    assert values(sensor) == {("ec", "CPU (temp1)"): 40.0, ("ec", "CPU (temp10)"): 41.0}
    close((sensor,))


def test_a_chip_made_of_a_thermal_zone_is_left_out(tmp_path: Path) -> None:
    chip(tmp_path, 0, "acpitz", "sys/class/thermal/thermal_zone0", temp1_input="40000")
    assert hwmon.discover(tmp_path) is None


def test_a_chip_that_is_asleep_is_not_read(tmp_path: Path) -> None:
    folder = chip(tmp_path, 0, "amdgpu", "devices/gpu", temp1_input="30000")
    status = tmp_path / "devices/gpu/power/runtime_status"
    status.write_text("suspended\n")
    sensor = discover(tmp_path)
    assert values(sensor) == {}
    status.write_text("active\n")
    assert values(sensor) == {("amdgpu", "temp1"): 30.0}
    (folder / "temp1_input").write_text("")
    status.write_text("suspending\n")
    assert values(sensor) == {}
    close((sensor,))


def test_chips_that_are_all_gone_are_an_error(tmp_path: Path) -> None:
    folder = chip(tmp_path, 0, "k10temp", temp1_input="40000")
    sensor = discover(tmp_path)
    (folder / "temp1_input").write_text("")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))
