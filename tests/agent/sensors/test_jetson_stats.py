"""jetson-stats, played by a module of its name on the path of the child's interpreter."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof.telemetry import Reading
from edgeprof_agent.sensors import jetson_stats
from edgeprof_agent.sensors.jetson_stats import INTERPRETER_VARIABLE, JetsonStats, parse_values
from edgeprof_agent.sensors.jetson_values import Group, readings_of
from edgeprof_agent.sensors.sensor import SensorLostError
from tests.agent.sensors.devices import close
from tests.agent.sensors.test_conformance import check

# Shaped as jetson-stats 7.2 gives it; printing something is what libraries do.
JTOP = """
import multiprocessing, os, time
multiprocessing.set_start_method("fork", force=True)
print("hello from a library")

class jtop:
    def __init__(self, interval):
        assert interval == 1.0
        self.frames = 0
        self.power = {
            "rail": {
                "VDD_SOC": {"volt": 5000, "curr": 300, "power": 1500, "avg": 1400, "online": True},
                "VDD_CPU_GPU_CV": {"power": 2500, "online": True},
                "OFF": {"power": 7, "online": False},
            },
            "tot": {"name": "VDD_IN", "power": 6000, "avg": 5900},
        }
        self.temperature = {"tj": {"temp": 51.5, "online": True}, "gpu": {"temp": -256, "online": False}}
        self.gpu = {"ga10b": {"status": {"load": 43.7}, "freq": {"cur": 612000, "max": 1020000}}}
        self.memory = {"RAM": {"tot": 7802744}, "EMC": {"val": 0, "cur": 2133000, "max": 3199000}}

    def __enter__(self):
        %s
        return self

    def __exit__(self, *error):
        pass

    def ok(self):
        if self.frames:
            time.sleep(%s)
        self.frames += 1
        return self.frames <= %d
"""


def environment(folder: Path, entering: str = "pass", pause: str = "0.01", frames: int = 1000) -> Mapping[str, str]:
    (folder / "jtop.py").write_text(JTOP % (entering, pause, frames))
    compatible = folder / "proc/device-tree/compatible"
    compatible.parent.mkdir(parents=True)
    compatible.write_bytes(b"nvidia,p3767-0005\0nvidia,tegra234\0")
    return {**os.environ, "PYTHONPATH": str(folder), INTERPRETER_VARIABLE: sys.executable}


def discover(folder: Path, frames: int = 1000, pause: str = "0.01") -> JetsonStats:
    sensor = jetson_stats.discover(folder, frozenset(Group), environment(folder, frames=frames, pause=pause))
    assert isinstance(sensor, JetsonStats)
    return sensor


def test_its_values_are_read_from_a_process_of_their_own(tmp_path: Path) -> None:
    sensor = discover(tmp_path)
    readings = list(sensor.sample())
    check((sensor,), [readings])
    values = {tuple(label for _, label in channel.labels): value for channel, value in readings}
    assert values == {
        ("jetson_stats", "VDD_SOC"): 1.5,
        ("jetson_stats", "VDD_CPU_GPU_CV"): 2.5,
        ("jetson_stats", "VDD_IN"): 6.0,
        ("VDD_IN",): 6.0,
        ("jetson_stats", "tj"): 51.5,
        ("igpu",): pytest.approx(0.437),
        ("sm", "igpu"): 612e6,
        ("system",): 2133e6,
    }
    assert "jtop" not in sys.modules
    close((sensor,))


def test_it_is_not_asked_unless_its_owner_says_so(tmp_path: Path) -> None:
    with_module = environment(tmp_path)
    without = {name: value for name, value in with_module.items() if name != INTERPRETER_VARIABLE}
    assert jetson_stats.discover(tmp_path, frozenset(Group), without) is None
    assert jetson_stats.discover(tmp_path, frozenset(), with_module) is None


@pytest.mark.parametrize("interpreter", ["/nowhere/python", sys.executable])
def test_an_interpreter_without_it_is_no_sensor(interpreter: str, tmp_path: Path) -> None:
    named = {**os.environ, INTERPRETER_VARIABLE: interpreter}
    assert jetson_stats.discover(tmp_path, frozenset(Group), named) is None


@pytest.mark.parametrize("entering", ["raise OSError('no access to the socket')", "import os; os.abort()"])
def test_a_service_that_refuses_is_no_sensor(entering: str, tmp_path: Path) -> None:
    assert jetson_stats.discover(tmp_path, frozenset(Group), environment(tmp_path, entering)) is None


def test_a_service_that_ends_is_lost_and_asked_again(tmp_path: Path) -> None:
    sensor = discover(tmp_path, frames=3)
    with pytest.raises(SensorLostError, match="has ended"):
        sample_until(sensor, lambda _: False)
    sample_until(sensor, bool)
    close((sensor,))


def sample_until(sensor: JetsonStats, expected: Callable[[Sequence[Reading]], bool]) -> None:
    deadline = time.monotonic() + 20
    while not expected(sensor.sample()):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    script = Path(jetson_stats.__file__).with_name("jtop_child.py")
    command = [sys.executable, str(script)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path, pause="60")
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["memory_clock"] == 2133000
        child.stdin.close()
        assert child.wait(20) == 0


def test_a_service_that_went_away_is_lost_with_its_reason(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    sensor = discover(tmp_path, pause=f"1 / 0 if os.path.exists({str(gone)!r}) else 0.01")
    gone.touch()
    with pytest.raises(SensorLostError, match="jetson-stats: ZeroDivisionError"):
        sample_until(sensor, lambda _: False)
    close((sensor,))


def test_the_child_says_why_it_fails() -> None:
    with pytest.raises(SensorLostError, match="jetson-stats: JtopException: the service is not active"):
        parse_values(b'{"error": "JtopException: the service is not active"}\n')


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["rails", "temperatures", "gpu", "memory_clock"])


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, JSON).map(lambda content: json.dumps(content).encode()) | st.binary())
def test_no_line_is_too_odd(line: bytes) -> None:
    values = parse_values(line)
    if values is not None:
        for _, value in readings_of(values, frozenset(Group), None, "jetson_stats", "/run/jtop.sock"):
            assert math.isfinite(value)
