from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors import pressure
from edgeprof_agent.sensors.pressure import stalled_seconds
from edgeprof_agent.sensors.sensor import SensorLostError
from tests.agent.sensors.devices import close

SOME = "some avg10=1.00 avg60=2.00 avg300=3.00 total={}\n"
FULL = "full avg10=0.00 avg60=0.00 avg300=0.00 total={}\n"


def write(root: Path, resource: str, content: str) -> Path:
    folder = root / "proc/pressure"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / resource).write_text(content)
    return folder / resource


def test_totals_are_seconds_and_the_cpu_has_no_full_share(tmp_path: Path) -> None:
    write(tmp_path, "cpu", SOME.format(2_500_000) + FULL.format(0))
    write(tmp_path, "memory", SOME.format(40) + FULL.format(30))
    sensor = pressure.discover(tmp_path)
    assert sensor is not None
    readings = sensor.sample()
    assert {tuple(value for _, value in channel.labels): value for channel, value in readings} == {
        ("cpu", "some"): 2.5,
        ("memory", "some"): 4e-05,
        ("memory", "full"): 3e-05,
    }
    assert readings[0].channel.source == "/proc/pressure/cpu"
    close((sensor,))


def test_a_kernel_that_has_it_switched_off_has_no_sensor(tmp_path: Path) -> None:
    assert pressure.discover(tmp_path) is None
    (tmp_path / "proc/pressure/cpu").mkdir(parents=True)  # a read fails, as of a kernel started with psi=0
    assert pressure.discover(tmp_path) is None


def test_pressure_that_is_no_longer_told_is_an_error(tmp_path: Path) -> None:
    file = write(tmp_path, "io", SOME.format(1))
    sensor = pressure.discover(tmp_path)
    assert sensor is not None
    file.write_text("")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"(some|full) avg10=\d total=[0-9a-z²]{0,12}", fullmatch=True))
def test_garbage_gives_no_value_or_a_true_one(content: str) -> None:
    for share, seconds in stalled_seconds(content).items():
        assert share in ("some", "full")
        assert seconds >= 0
