from pathlib import Path

import pytest

from edgeprof_agent.sensors import jetson_gpu
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from tests.agent.sensors.devices import close


def devfreq(root: Path, name: str, **files: str) -> Path:
    folder = root / "sys/class/devfreq" / name
    (folder / "device/power").mkdir(parents=True)
    for file, text in files.items():
        path = folder / file if file.endswith("freq") else folder / "device" / file
        path.write_text(f"{text}\n")
    return folder


def values(sensor: Sensor) -> dict[tuple[str, ...], float]:
    return {tuple(label for _, label in found.labels): value for found, value in sensor.sample()}


@pytest.mark.parametrize("name", ["57000000.gpu", "17000000.gp10b", "17000000.gv11b", "17000000.ga10b", "17000000.gpu"])
def test_load_and_clocks_of_every_generation(name: str, tmp_path: Path) -> None:
    devfreq(tmp_path, name, cur_freq="612000000", max_freq="1020000000", load="437")
    now, maximum = jetson_gpu.discover(tmp_path)
    assert values(now) == {("igpu",): 0.437, ("sm", "igpu"): 612e6}
    assert values(maximum) == {("sm", "igpu"): 1020e6}
    assert now.sample()[0].channel.source == f"/sys/class/devfreq/{name}/device/load"
    close((now, maximum))


def test_thor_has_a_clock_for_each_domain_and_no_load(tmp_path: Path) -> None:
    devfreq(tmp_path, "gpu-gpc-0", cur_freq="1386000000", max_freq="1575000000")
    devfreq(tmp_path, "gpu-nvd-0", cur_freq="480000000", max_freq="1692000000")
    devfreq(tmp_path, "bwmgr", cur_freq="4266000000", max_freq="4266000000")
    now, maximum = jetson_gpu.discover(tmp_path)
    assert values(now) == {("sm", "igpu"): 1386e6, ("video", "igpu"): 480e6}
    assert values(maximum) == {("sm", "igpu"): 1575e6, ("video", "igpu"): 1692e6}
    close((now, maximum))


def test_a_gpu_that_is_powered_down_has_a_load_and_no_clock(tmp_path: Path) -> None:
    folder = devfreq(tmp_path, "17000000.gpu", cur_freq="306000000", max_freq="1020000000", load="0")
    (folder / "device/power/runtime_status").write_text("suspended\n")
    now, maximum = jetson_gpu.discover(tmp_path)
    assert values(now) == {("igpu",): 0.0}
    (folder / "device/power/runtime_status").write_text("active\n")
    assert values(now) == {("igpu",): 0.0, ("sm", "igpu"): 306e6}
    close((now, maximum))


def test_a_load_beyond_the_whole_is_no_load(tmp_path: Path) -> None:
    devfreq(tmp_path, "17000000.gpu", cur_freq="306000000", max_freq="1020000000", load="65535")
    now, maximum = jetson_gpu.discover(tmp_path)
    assert values(now) == {("sm", "igpu"): 306e6}
    close((now, maximum))


def test_other_devices_are_no_gpu(tmp_path: Path) -> None:
    devfreq(tmp_path, "15340000.vic", cur_freq="115200000", max_freq="729600000", load="0")
    assert jetson_gpu.discover(tmp_path) == ()


def test_a_gpu_that_went_away_is_an_error(tmp_path: Path) -> None:
    folder = devfreq(tmp_path, "17000000.gpu", cur_freq="306000000", max_freq="1020000000", load="0")
    now, maximum = jetson_gpu.discover(tmp_path)
    for path in (folder / "cur_freq", folder / "max_freq", folder / "device/load"):
        path.write_text("")
    for sensor in (now, maximum):
        with pytest.raises(SensorLostError):
            sensor.sample()
    close((now, maximum))
