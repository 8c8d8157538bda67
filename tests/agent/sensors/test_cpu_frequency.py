from pathlib import Path

import pytest

from edgeprof_agent.sensors import cpu_frequency
from edgeprof_agent.sensors.sensor import SensorLostError
from tests.agent.sensors.devices import close

POLICIES = "sys/devices/system/cpu/cpufreq"


def policy(root: Path, number: int, cores: str, frequency: str) -> Path:
    folder = root / POLICIES / f"policy{number}"
    folder.mkdir(parents=True)
    (folder / "affected_cpus").write_text(f"{cores}\n")
    (folder / "scaling_cur_freq").write_text(frequency)
    return folder


def test_cores_of_one_policy_share_its_clock(tmp_path: Path) -> None:
    policy(tmp_path, 0, "0 1 2 3", "1800000\n")
    policy(tmp_path, 4, "4 5", "2419200\n")
    sensor = cpu_frequency.discover(tmp_path)
    assert sensor is not None
    readings = sensor.sample()
    assert {dict(channel.labels)["core"]: value for channel, value in readings} == {
        **dict.fromkeys("0123", 1.8e9),
        **dict.fromkeys("45", 2.4192e9),
    }
    assert readings[5].channel.source == f"/{POLICIES}/policy4/scaling_cur_freq"
    close((sensor,))


def test_a_policy_that_does_not_tell_is_left_out(tmp_path: Path) -> None:
    policy(tmp_path, 0, "0", "1800000\n")
    policy(tmp_path, 1, "1", "<unknown>\n")
    policy(tmp_path, 2, "2", "0\n")
    sensor = cpu_frequency.discover(tmp_path)
    assert sensor is not None
    assert [dict(channel.labels) for channel, _ in sensor.sample()] == [{"core": "0"}]
    close((sensor,))


def test_no_sensor_where_no_clock_is_told(tmp_path: Path) -> None:
    policy(tmp_path, 0, "0", "<unknown>\n")
    assert cpu_frequency.discover(tmp_path) is None


def test_clocks_that_vanish_are_an_error(tmp_path: Path) -> None:
    folder = policy(tmp_path, 0, "0", "1800000\n")
    sensor = cpu_frequency.discover(tmp_path)
    assert sensor is not None
    (folder / "scaling_cur_freq").write_text("")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))
