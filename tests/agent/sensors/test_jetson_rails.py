from pathlib import Path

import pytest

from edgeprof_agent.sensors import jetson_rails
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from tests.agent.sensors.devices import close


def ina3221(root: Path, device: str, *rails: tuple[str, int, int]) -> Path:
    folder = root / f"sys/bus/i2c/devices/{device}"
    hwmon = folder / "hwmon/hwmon2"
    hwmon.mkdir(parents=True)
    (folder / "name").write_text("ina3221\n")
    for number, (label, millivolts, milliamperes) in enumerate(rails, 1):
        (hwmon / f"in{number}_label").write_text(f"{label}\n")
        (hwmon / f"in{number}_input").write_text(f"{millivolts}\n")
        (hwmon / f"curr{number}_input").write_text(f"{milliamperes}\n")
    (hwmon / "in7_label").write_text("sum of shunt voltages\n")
    (hwmon / "in7_input").write_text("120\n")
    return hwmon


def discover(root: Path) -> Sensor:
    sensor = jetson_rails.discover(root)
    assert sensor is not None
    return sensor


def powers(sensor: Sensor) -> dict[tuple[str, ...], float]:
    return {tuple(label for _, label in found.labels): round(watts, 6) for found, watts in sensor.sample()}


def test_a_rail_is_voltage_times_current_and_the_input_is_the_total(tmp_path: Path) -> None:
    ina3221(tmp_path, "1-0040", ("VDD_IN", 5000, 1600), ("VDD_CPU_GPU_CV", 4992, 500), ("NC", 4992, 500))
    sensor = discover(tmp_path)
    assert powers(sensor) == {("ina3221", "VDD_IN"): 8.0, ("ina3221", "VDD_CPU_GPU_CV"): 2.496, ("VDD_IN",): 8.0}
    close((sensor,))


def test_without_an_input_the_total_names_all_that_it_adds_up(tmp_path: Path) -> None:
    ina3221(tmp_path, "1-0040", ("VDD_GPU_SOC", 20000, 200), ("VDD_CPU_CV", 20000, 100))
    ina3221(tmp_path, "1-0041", ("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 5000, 300))
    sensor = discover(tmp_path)
    assert powers(sensor)["VDD_GPU_SOC+VDD_CPU_CV+VDDQ_VDD2_1V8AO",] == 7.5
    close((sensor,))


def test_a_rail_below_zero_is_absent_and_so_is_a_total_with_it(tmp_path: Path) -> None:
    hwmon = ina3221(tmp_path, "1-0040", ("GPU", 19000, -21), ("CPU", 19000, 100))
    sensor = discover(tmp_path)
    assert powers(sensor) == {("ina3221", "CPU"): 1.9}
    (hwmon / "curr1_input").write_text("0\n")
    assert powers(sensor) == {("ina3221", "GPU"): 0.0, ("ina3221", "CPU"): 1.9, ("GPU+CPU",): 1.9}
    close((sensor,))


def test_rails_of_one_name_are_told_apart_by_their_devices(tmp_path: Path) -> None:
    ina3221(tmp_path, "1-0040", ("5V", 5000, 100))
    ina3221(tmp_path, "1-0041", ("5V", 5000, 200))
    sensor = discover(tmp_path)
    assert powers(sensor) == {("ina3221-1-0040", "5V"): 0.5, ("ina3221-1-0041", "5V"): 1.0, ("5V",): 1.5}
    close((sensor,))


def test_the_older_driver_gives_milliwatts(tmp_path: Path) -> None:
    folder = tmp_path / "sys/bus/i2c/devices/6-0040"
    (folder / "iio:device0").mkdir(parents=True)
    (folder / "name").write_text("ina3221x\n")
    for number, (rail, milliwatts) in enumerate((("POM_5V_IN", 2310), ("POM_5V_GPU", 40))):
        (folder / f"iio:device0/rail_name_{number}").write_text(f"{rail}\n")
        (folder / f"iio:device0/in_power{number}_input").write_text(f"{milliwatts}\n")
    sensor = discover(tmp_path)
    assert powers(sensor) == {
        ("ina3221", "POM_5V_IN"): 2.31,
        ("ina3221", "POM_5V_GPU"): 0.04,
        ("POM_5V_IN",): 2.31,
    }
    assert sensor.sample()[0].channel.source == "/sys/bus/i2c/devices/6-0040/iio:device0/in_power0_input"
    close((sensor,))


def test_the_monitor_of_a_carrier_boards_input_gives_microwatts(tmp_path: Path) -> None:
    ina3221(tmp_path, "2-0040", ("VDD_GPU", 20000, 100), ("VIN_SYS_5V0", 5000, 1000))
    folder = tmp_path / "sys/bus/i2c/devices/2-0044"
    (folder / "hwmon/hwmon3").mkdir(parents=True)
    (folder / "name").write_text("ina238\n")
    (folder / "hwmon/hwmon3/power1_input").write_text("28125000\n")
    sensor = discover(tmp_path)
    assert powers(sensor)["ina238", "VIN"] == 28.125
    assert powers(sensor)["VIN",] == 28.125
    close((sensor,))


def test_a_bus_without_monitors_has_no_sensor(tmp_path: Path) -> None:
    (tmp_path / "sys/bus/i2c/devices/0-0050").mkdir(parents=True)
    (tmp_path / "sys/bus/i2c/devices/0-0050/name").write_text("24c02\n")
    assert jetson_rails.discover(tmp_path) is None


def test_rails_that_are_all_gone_are_an_error(tmp_path: Path) -> None:
    hwmon = ina3221(tmp_path, "1-0040", ("VDD_IN", 5000, 1600))
    sensor = discover(tmp_path)
    (hwmon / "curr1_input").write_text("")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))
