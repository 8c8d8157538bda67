from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeprof_agent.sensors import jetson_emc
from edgeprof_agent.sensors.jetson_module import find_module, is_jetson
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from tests.agent.sensors.devices import close

ORIN_NANO = "nvidia,p3768-0000+p3767-0005|nvidia,p3767-0005|nvidia,tegra234"
BPMP = "sys/kernel/debug/bpmp/debug"


def board(root: Path, compatible: str, files: Mapping[str, int | str] | None = None) -> None:
    tree = {"proc/device-tree/compatible": compatible.replace("|", "\0") + "\0", **(files or {})}
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(content))


def values(sensors: tuple[Sensor, ...]) -> dict[str, float]:
    return {
        found.metric.removeprefix("edgeprof_memory_"): value for sensor in sensors for found, value in sensor.sample()
    }


@pytest.mark.parametrize(
    ("compatible", "gigabytes_per_second"),
    [
        ("nvidia,p3449-0000-b00+p3448-0000-b00|nvidia,jetson-nano|nvidia,tegra210", 25.6),
        ("nvidia,quill|nvidia,p2597-0000+p3310-1000|nvidia,tegra186", 59.7),
        ("nvidia,p3509-0000+p3668-0001|nvidia,tegra194", 59.7),
        ("nvidia,p2972-0000|nvidia,p2888-0004|nvidia,tegra194", 136.5),
        ("nvidia,p3768-0000+p3767-0004|nvidia,p3767-0004|nvidia,tegra234", 34.1),
        ("nvidia,p3768-0000+p3767-0004-super|nvidia,p3767-0004|nvidia,tegra234", 51.2),
        (ORIN_NANO, 68.3),
        ("nvidia,p3768-0000+p3767-0005-super|nvidia,p3767-0005|nvidia,tegra234", 102.4),
        ("nvidia,p3768-0000+p3767-0000|nvidia,p3767-0000|nvidia,tegra234", 102.4),
        ("nvidia,p3737-0000+p3701-0005|nvidia,p3701-0005|nvidia,tegra234", 204.7),
        ("nvidia,p3971-0089+p3834-0008|nvidia,p3834-0008|nvidia,tegra264", 273.0),
    ],
)
def test_peak_bandwidth_of_each_module(compatible: str, gigabytes_per_second: float, tmp_path: Path) -> None:
    board(tmp_path, compatible)
    module = find_module(tmp_path)
    assert module is not None
    assert round(module.bandwidth(module.specified_hertz) / 1e9, 1) == gigabytes_per_second
    assert is_jetson(tmp_path)


@pytest.mark.parametrize("compatible", ["raspberrypi,5-model-b|brcm,bcm2712", "example,p3767-clone|rockchip,rk3588"])
def test_other_boards_are_no_module(compatible: str, tmp_path: Path) -> None:
    board(tmp_path, compatible)
    assert find_module(tmp_path) is None
    assert not is_jetson(tmp_path)


def test_bandwidth_follows_from_activity_and_the_width_of_the_bus(tmp_path: Path) -> None:
    activity = {"sys/kernel/debug/cactmon/mc_all": 1301130}  # thousands of busy clocks a second: 61 % of 2133 MHz
    board(tmp_path, ORIN_NANO, {**activity, f"{BPMP}/clk/emc/rate": 2133000000, f"{BPMP}/clk/emc/max_rate": 2133000000})
    sensors = jetson_emc.discover(tmp_path)
    assert values(sensors) == pytest.approx(
        {
            "clock_hertz": 2133e6,
            "busy_ratio": 0.61,
            "bandwidth_bytes_per_second": 41.636e9,
            "clock_max_hertz": 2133e6,
            "bandwidth_peak_bytes_per_second": 68.256e9,
        },
        rel=1e-4,
    )
    close(sensors)


def test_who_may_read_the_activity_alone_gets_the_bandwidth(tmp_path: Path) -> None:
    board(tmp_path, "nvidia,p3448-0000|nvidia,tegra210", {"sys/kernel/actmon_avg_activity/mc_all": 400000})
    sensors = jetson_emc.discover(tmp_path)
    assert values(sensors) == {"bandwidth_bytes_per_second": 6.4e9, "bandwidth_peak_bytes_per_second": 25.6e9}
    close(sensors)


@pytest.mark.parametrize("activity", [1301130000, 3000000, -1])
def test_more_activity_than_clocks_is_none(activity: int, tmp_path: Path) -> None:
    board(
        tmp_path,
        ORIN_NANO,
        {f"{BPMP}/actmon/mc_all_avg_activity": activity, f"{BPMP}/clk/emc/rate": 2133000000},
    )
    sensors = jetson_emc.discover(tmp_path)
    assert set(values(sensors)) == {"clock_hertz", "bandwidth_peak_bytes_per_second"}
    close(sensors)


def test_a_clock_that_fell_within_the_average_makes_no_share_above_one(tmp_path: Path) -> None:
    activity = {"sys/kernel/debug/cactmon/mc_all": 2000000}
    board(tmp_path, ORIN_NANO, {**activity, f"{BPMP}/clk/emc/rate": 665600000})
    sensors = jetson_emc.discover(tmp_path)
    assert values(sensors)["busy_ratio"] == 1.0
    close(sensors)


def peaks(sensors: tuple[Sensor, ...]) -> dict[str, float]:
    found = [reading for sensor in sensors for reading in sensor.sample() if "peak" in reading.channel.metric]
    return {dict(channel.labels)["source"]: value for channel, value in found}


def test_the_peak_follows_the_limit_of_the_power_mode(tmp_path: Path) -> None:
    mode = "< POWER_MODEL ID=0 NAME=10W >\nEMC MAX_FREQ 1600000000\n< PM_CONFIG DEFAULT=0 >\n"
    board(tmp_path, ORIN_NANO, {"etc/nvpmodel.conf": mode})
    sensors = jetson_emc.discover(tmp_path)
    assert peaks(sensors) == {"computed": 51.2e9}
    assert {reading.channel.source for sensor in sensors for reading in sensor.sample()} == {"/etc/nvpmodel.conf"}
    (tmp_path / "etc/nvpmodel.conf").write_text(mode.replace("1600000000", "0"))
    assert peaks(sensors) == {"specified": 68.256e9}
    close(sensors)


def test_the_cap_of_the_power_mode_lowers_the_peak(tmp_path: Path) -> None:
    files = {f"{BPMP}/clk/emc/max_rate": 1866000000, "sys/kernel/nvpmodel_emc_cap/emc_iso_cap": 1600000000}
    board(tmp_path, "nvidia,p3509-0000+p3668-0001|nvidia,tegra194", files)
    sensors = jetson_emc.discover(tmp_path)
    assert peaks(sensors) == {"computed": 51.2e9}
    (tmp_path / "sys/kernel/nvpmodel_emc_cap/emc_iso_cap").write_text("0")
    assert peaks(sensors) == {"computed": 59.712e9}
    close(sensors)


def test_a_module_that_is_not_known_has_clocks_and_no_bandwidth(tmp_path: Path) -> None:
    files = {"sys/kernel/debug/cactmon/mc_all": 1000000, f"{BPMP}/clk/emc/rate": 2000000000}
    board(tmp_path, "nvidia,p9999-0000|nvidia,tegra999", {**files, f"{BPMP}/clk/emc/max_rate": 4000000000})
    sensors = jetson_emc.discover(tmp_path)
    assert values(sensors) == {"clock_hertz": 2e9, "busy_ratio": 0.5, "clock_max_hertz": 4e9}
    close(sensors)


def test_memory_that_falls_silent_is_an_error(tmp_path: Path) -> None:
    board(tmp_path, ORIN_NANO, {f"{BPMP}/clk/emc/rate": 2133000000})
    memory, limits = jetson_emc.discover(tmp_path)
    (tmp_path / f"{BPMP}/clk/emc/rate").write_text("")
    with pytest.raises(SensorLostError):
        memory.sample()
    close((memory, limits))
