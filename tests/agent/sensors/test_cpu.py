from pathlib import Path

from edgeprof.telemetry import Reading
from edgeprof_agent.sensors import cpu
from edgeprof_agent.sensors.cpu import BusyShares, PsutilCpu
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sensors.devices import close

FIRST = "cpu  100 0 50 800 40 5 5 0 0 0\ncpu0 60 0 30 390 15 3 2 0 0 0\ncpu1 40 0 20 410 25 2 3 0 0 0\nintr 1 2 3\n"


def write(root: Path, text: str) -> None:
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc/stat").write_text(text)


def shares(sensor: Sensor) -> dict[str, float]:
    return {dict(channel.labels).get("core", "all"): value for channel, value in sensor.sample()}


def found(root: Path) -> Sensor:
    sensor = cpu.discover(root)
    assert sensor is not None
    return sensor


def test_shares_of_the_time_since_the_sample_before(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    sensor = found(tmp_path)
    write(
        tmp_path,
        # core 0: 6 busy in each way, 4 of 10 idle, waiting or taken away; core 1: idle
        "cpu  102 1 51 812 41 6 6 1 0 0\ncpu0 62 1 31 392 16 4 3 1 0 0\ncpu1 40 0 20 420 25 2 3 0 0 0\nintr 1\n",
    )
    assert shares(sensor) == {"all": 6 / 20, "0": 6 / 10, "1": 0.0}
    close((sensor,))


def test_guest_time_is_not_counted_twice(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    sensor = found(tmp_path)
    write(tmp_path, "cpu  110 0 50 810 40 5 5 0 10 0\nintr 1\n")
    assert shares(sensor) == {"all": 0.5}
    close((sensor,))


def test_no_share_when_the_clock_has_not_ticked(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    sensor = found(tmp_path)
    assert shares(sensor) == {}
    close((sensor,))


def test_a_core_that_comes_online_has_a_share_from_its_second_sample_on(tmp_path: Path) -> None:
    write(tmp_path, "cpu  100 0 0 100 0 0 0 0 0 0\ncpu0 100 0 0 100 0 0 0 0 0 0\nintr 1\n")
    sensor = found(tmp_path)
    write(tmp_path, "cpu  110 0 0 110 0 0 0 0 0 0\ncpu0 110 0 0 110 0 0 0 0 0 0\ncpu1 5 0 0 5 0 0 0 0 0 0\nintr 1\n")
    assert shares(sensor) == {"all": 0.5, "0": 0.5}
    write(tmp_path, "cpu  130 0 0 130 0 0 0 0 0 0\ncpu0 120 0 0 110 0 0 0 0 0 0\ncpu1 15 0 0 25 0 0 0 0 0 0\nintr 1\n")
    assert shares(sensor) == {"all": 0.5, "0": 1.0, "1": 10 / 30}
    close((sensor,))


def test_idle_time_that_runs_backwards_does_not_leave_the_range() -> None:
    shares = BusyShares("/proc/stat")
    shares.since_last([("", 100, 200)])
    (reading,) = shares.since_last([("", 110, 205)])
    assert reading.value == 1.0
    (reading,) = shares.since_last([("", 109, 215)])
    assert reading.value == 0.0


def test_psutil_gives_the_same_channels_from_its_own_source() -> None:
    sensor = PsutilCpu()
    readings: list[Reading] = []
    while not readings:  # the clock ticks every 10 ms
        readings = list(sensor.sample())
    assert {channel.source for channel, _ in readings} == {"psutil.cpu_times"}
    assert all(0 <= value <= 1 for _, value in readings)
    assert readings[0].channel.metric == "edgeprof_cpu_busy_ratio"
