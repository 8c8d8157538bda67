"""tegrastats, played by a program that prints what a file holds, a line for each that it finds in a pipe."""

import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from edgeprof.telemetry import Reading
from edgeprof_agent.sensors import jetson, tegrastats
from edgeprof_agent.sensors.jetson_values import Group
from edgeprof_agent.sensors.sensor import SensorLostError
from edgeprof_agent.sensors.tegrastats import Tegrastats
from tests.agent.sensors.devices import close
from tests.agent.sensors.test_conformance import check, sample
from tests.agent.sensors.test_tegrastats_line import AGX_ORIN_JETPACK_5, NANO_JETPACK_4, WITHOUT_RAILS

# It repeats on its standard output what is written into a FIFO, and ends with it.
PROGRAM = """#!{python} -S
import os, sys
assert sys.argv[1:] == ["--interval", "1000"], sys.argv
open({started!r}, "a").write(f"{{os.getpid()}}\\n")
with open({fifo!r}, "rb", 0) as lines:
    while text := lines.read(4096):
        os.write(1, text)
"""


class Jetson:
    """A board with nothing but tegrastats."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._started = root / "started"
        fifo = root / "fifo"
        os.mkfifo(fifo)
        self._pipe = os.open(fifo, os.O_RDWR)  # so that it is there before the program and after it
        program = root / "usr/bin/tegrastats"
        program.parent.mkdir(parents=True)
        program.write_text(PROGRAM.format(python=sys.executable, started=str(self._started), fifo=str(fifo)))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        compatible = root / "proc/device-tree/compatible"
        compatible.parent.mkdir(parents=True)
        compatible.write_bytes(b"nvidia,p3448-0000\0nvidia,tegra210\0")

    def says(self, text: str) -> None:
        os.write(self._pipe, text.encode())

    def pids(self) -> list[int]:
        """The processes in which the program was started."""
        return [int(pid) for pid in self._started.read_text().split()] if self._started.exists() else []

    def close(self) -> None:
        os.close(self._pipe)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Jetson]:
    board = Jetson(tmp_path)
    yield board
    board.close()


def until(sensor: Tegrastats, expected: Callable[[dict[tuple[str, ...], float]], bool]) -> None:
    """Sample until what comes is as expected: the lines are read on a thread of their own."""
    deadline = time.monotonic() + 20
    while not expected(by_labels(sensor.sample())):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def by_labels(readings: Sequence[Reading]) -> dict[tuple[str, ...], float]:
    return {tuple(label for _, label in found.labels): value for found, value in readings}


def start(board: Jetson, groups: frozenset[Group] = frozenset(Group)) -> Tegrastats:
    board.says(NANO_JETPACK_4)
    sensor = tegrastats.discover(board.root, groups)
    assert isinstance(sensor, Tegrastats)
    return sensor


def test_every_value_of_a_line_is_read(board: Jetson) -> None:
    sensor = start(board)
    readings = list(sensor.sample())
    check((sensor,), [readings, sample((sensor,))])
    values = {channel.metric: value for channel, value in readings if "temperature" not in channel.metric}
    assert values["edgeprof_power_total_watts"] == 2.91
    assert values["edgeprof_gpu_busy_ratio"] == 0.37
    assert values["edgeprof_memory_bandwidth_bytes_per_second"] == 0.04 * 1600e6 * 2 * 8
    assert {channel.source for channel, _ in readings} == {"/usr/bin/tegrastats"}
    close((sensor,))


def test_only_what_is_missing_elsewhere_is_given(board: Jetson) -> None:
    sensor = start(board, frozenset({Group.MEMORY}))
    assert {channel.metric for channel, _ in sensor.sample()} == {
        "edgeprof_memory_busy_ratio",
        "edgeprof_memory_clock_hertz",
        "edgeprof_memory_bandwidth_bytes_per_second",
    }
    close((sensor,))


@pytest.mark.parametrize("rubbish", ["free(): invalid pointer\n", NANO_JETPACK_4[: NANO_JETPACK_4.index("POM_5V_GPU")]])
def test_rubbish_and_torn_lines_cost_one_gap(rubbish: str, board: Jetson) -> None:
    sensor = start(board)
    board.says(rubbish.rstrip("\n") + "\n")
    until(sensor, lambda values: not values)
    board.says(NANO_JETPACK_4.replace("2910/", "3000/"))
    until(sensor, lambda values: values.get(("POM_5V_IN",)) == 3.0)
    assert len(board.pids()) == 1
    close((sensor,))


def test_a_program_that_ended_is_started_again(board: Jetson) -> None:
    sensor = start(board)
    os.kill(board.pids()[0], signal.SIGKILL)
    with pytest.raises(SensorLostError, match="has ended"):
        until(sensor, lambda _: False)
    board.says(NANO_JETPACK_4)
    until(sensor, bool)
    assert len(board.pids()) == 2
    close((sensor,))


def test_a_closed_sensor_leaves_no_process(board: Jetson) -> None:
    sensor = start(board)
    close((sensor,))
    assert not psutil.pid_exists(board.pids()[0])
    assert "line-process" not in {thread.name for thread in threading.enumerate()}


def test_a_program_without_what_is_missing_is_ended(board: Jetson) -> None:
    board.says(WITHOUT_RAILS)
    assert tegrastats.discover(board.root, frozenset({Group.POWER})) is None


def test_nothing_is_started_where_nothing_is_missing(board: Jetson) -> None:
    assert tegrastats.discover(board.root, frozenset()) is None
    assert not board.pids()


def test_a_program_that_cannot_run_is_no_sensor(tmp_path: Path) -> None:
    program = tmp_path / "usr/bin/tegrastats"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"\x7fELF of another machine")
    program.chmod(0o755)
    assert tegrastats.discover(tmp_path, frozenset(Group)) is None


def test_a_board_without_readable_files_falls_back_on_it(board: Jetson) -> None:
    board.says(AGX_ORIN_JETPACK_5)
    sensors = tuple(jetson.discover(board.root))
    assert [sensor.name for sensor in sensors] == ["jetson_memory_limits", "tegrastats"]
    metrics = {channel.metric for channel, _ in sensors[1].sample()}
    assert metrics >= {"edgeprof_power_watts", "edgeprof_temperature_celsius", "edgeprof_gpu_busy_ratio"}
    close(sensors)
