from pathlib import Path

import pytest

from edgeprof_agent.sensors import hwmon, intel_gpu
from edgeprof_agent.sensors.intel_gpu_throttle import reason_of
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sensors.devices import close


def card(root: Path, driver: str, files: dict[str, str]) -> Path:
    device = root / "sys/devices/pci0000:00/0000:03:00.0"
    record = {"uevent": f"DRIVER={driver}\nPCI_ID=8086:56A0\nPCI_SLOT_NAME=0000:03:00.0", "drm/card0/id": ""}
    for name, text in {**record, **files}.items():
        (device / name).parent.mkdir(parents=True, exist_ok=True)
        (device / name).write_text(f"{text}\n")
    (device / "drm/card0/device").symlink_to(device)
    (root / "sys/class/drm").mkdir(parents=True)
    (root / "sys/class/drm/card0").symlink_to(device / "drm/card0")
    (root / "sys/class/hwmon").mkdir(parents=True)
    for folder in (device / "hwmon").glob("*"):
        (folder / "device").symlink_to(device)
        (root / "sys/class/hwmon" / folder.name).symlink_to(folder)
    return device


def values(sensors: tuple[Sensor, ...]) -> dict[str, float]:
    return {
        " ".join((channel.metric.removeprefix("edgeprof_"), *(label for _, label in channel.labels))): value
        for sensor in sensors
        for channel, value in sensor.sample()
    }


def test_energy_without_a_label_is_the_cards_and_that_of_a_gt_is_left_to_no_one(tmp_path: Path) -> None:
    files = {"hwmon/hwmon4/name": "i915", "hwmon/hwmon4/energy1_input": "7000000"}
    card(tmp_path, "i915", {**files, "hwmon/hwmon5/name": "i915_gt0", "hwmon/hwmon5/energy1_input": "5000000"})
    sensors = intel_gpu.discover(tmp_path)
    assert values(sensors) == {"gpu_energy_joules_total intel0": 7.0}
    close(sensors)
    others = hwmon.discover(tmp_path)
    assert others is not None
    assert values((others,)) == {"energy_joules_total i915_gt0 energy1": 5.0}
    close((others,))


def test_energy_of_the_package_is_no_energy_of_the_card(tmp_path: Path) -> None:
    files = {"hwmon/hwmon4/name": "xe", "hwmon/hwmon4/energy2_input": "7000000", "hwmon/hwmon4/energy2_label": "pkg"}
    card(tmp_path, "xe", files)
    sensors = intel_gpu.discover(tmp_path)
    assert values(sensors) == {"energy_joules_total intel0 pkg": 7.0}
    assert hwmon.discover(tmp_path) is None
    close(sensors)


def test_clocks_of_each_gt_and_none_while_it_is_switched_off(tmp_path: Path) -> None:
    gt = "tile0/gt{}/freq0/{}_freq"
    files = {gt.format(0, "act"): "2400", gt.format(0, "rp0"): "2850", gt.format(1, "act"): "0"}
    device = card(tmp_path, "xe", files)
    sensors = intel_gpu.discover(tmp_path)
    assert values(sensors) == {"gpu_clock_hertz sm intel0": 2.4e9, "gpu_clock_max_hertz sm intel0": 2.85e9}
    (device / "tile0/gt1/freq0/act_freq").write_text("1200\n")
    assert values(sensors)["gpu_clock_hertz gt1 intel0"] == 1.2e9
    close(sensors)


@pytest.mark.parametrize(
    ("driver", "prefix"), [("xe", "tile0/gt0/freq0/throttle/"), ("i915", "drm/card0/gt/gt0/throttle_")]
)
def test_reasons_are_asked_for_while_there_is_one(driver: str, prefix: str, tmp_path: Path) -> None:
    status = f"{prefix}{'status' if driver == 'xe' else 'reason_status'}"
    names = ("pl1", "pl2", "thermal", "vr_tdc")
    device = card(tmp_path, driver, {status: "0", **{f"{prefix}reason_{name}": "0" for name in names}})
    sensors = intel_gpu.discover(tmp_path)
    none = {f"gpu_throttled_ratio intel0 {reason}": 0 for reason in ("power", "current", "thermal", "other")}
    assert values(sensors) == none
    (device / f"{prefix}reason_vr_tdc").write_text("1\n")
    assert values(sensors) == none
    (device / status).write_text("1\n")
    assert values(sensors) == {**none, "gpu_throttled_ratio intel0 current": 1}
    close(sensors)


@pytest.mark.parametrize(
    ("limiter", "reason"),
    [
        ("pl4", "power"),
        ("psys_pl1", "power"),
        ("iccmax", "current"),
        ("vr_thermalert", "thermal"),
        ("soc_avg_thermal", "thermal"),
        ("prochot", "thermal"),
        ("p0_freq", "other"),
    ],
)
def test_reasons_by_the_limiters_name(limiter: str, reason: str) -> None:
    assert reason_of(limiter) == reason


def test_a_card_that_sleeps_gives_nothing(tmp_path: Path) -> None:
    files = {"hwmon/hwmon4/name": "xe", "hwmon/hwmon4/energy1_input": "7000000"}
    card(tmp_path, "xe", {**files, "power/runtime_status": "suspended"})
    sensors = intel_gpu.discover(tmp_path)
    assert len(sensors) == 1
    assert values(sensors) == {}
    close(sensors)
