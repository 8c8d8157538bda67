"""powermetrics: its property lists, and the program played by one that prints what a test tells it."""

import os
import plistlib
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.apple.power_metrics import ApplePowerMetrics, find_power_metrics
from edgeprof_agent.sensors.apple.power_metrics_plist import parse_power_metrics
from edgeprof_agent.sensors.apple.reports import Part
from edgeprof_agent.sensors.sensor import SensorLostError
from tests.agent.sensors.apple.played_mac import by_name
from tests.agent.sensors.test_conformance import check

ALL = frozenset(Part)
_PATIENCE_SECONDS = 30

# It repeats on its standard output what is written into a FIFO, and ends when nobody holds that any more.
PROGRAM = """#!{python} -S
import os, sys
assert sys.argv[1:] == {options!r}, sys.argv
with open({fifo!r}, "rb", 0) as lists:
    while text := lists.read(65536):
        if text.endswith(b"END"):
            sys.exit()
        os.write(1, text)
"""
OPTIONS = ["--samplers", "cpu_power,gpu_power", "--sample-rate", "1000", "--format", "plist", "--buffer-size", "1"]


def content(seconds: float = 1.0, cpu_mj: int = 2500, gpu_mj: int = 9000, **gpu: object) -> dict[str, Any]:
    cores = [{"cpu": 0, "freq_hz": 1_404_000_000.0}, {"cpu": 1, "freq_hz": 0.0}]
    return {
        "elapsed_ns": round(seconds * 1e9),
        "processor": {
            "cpu_energy": cpu_mj,
            "gpu_energy": gpu_mj,
            "ane_energy": 0,
            "clusters": [{"name": "E-Cluster", "cpus": cores}, {"name": "P0-Cluster", "cpus": []}],
        },
        "gpu": {"freq_hz": 1_162.5, "idle_ratio": 0.25, **gpu},
    }


def printed(**values: Any) -> bytes:
    return plistlib.dumps(content(**values))


def test_a_list_in_base_units() -> None:
    found = parse_power_metrics(b"\0" + printed(seconds=2.019, cpu_mj=31))
    assert found is not None
    assert found.elapsed_seconds == 2.019
    assert found.joules == {"CPU": 0.031, "GPU": 9.0, "ANE": 0.0}
    assert (found.gpu_busy_ratio, found.gpu_clock_hertz) == (0.75, 1.1625e9)
    assert found.core_clocks_hertz == {"0": 1.404e9}  # the other one slept


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"powermetrics must be invoked as the superuser\n",
        b"bplist00",
        b"<plist></plist>",
        b"<plist><integer>5</integer></plist>",
        b"<plist><dict><key>elapsed_ns</key><integer>0</integer></dict></plist>",
        b"<plist><dict><key>elapsed_ns</key><real>nan</real></dict></plist>",
        b"<plist><dict><key>elapsed_ns</key><true/></dict></plist>",
        b"<plist><dict><string>no key</string></dict></plist>",
        b"<plist><date>yesterday</date></plist>",
        b"<plist><data>!</data></plist>",
    ],
)
def test_what_is_no_list_is_none(text: bytes) -> None:
    assert parse_power_metrics(text) is None


@pytest.mark.parametrize(
    ("key", "value"), [("idle_ratio", -0.1), ("idle_ratio", 1.1), ("freq_hz", 0), ("freq_hz", "P1")]
)
def test_values_that_cannot_be_are_absent(key: str, value: object) -> None:
    found = parse_power_metrics(printed(**{key: value}))
    assert found is not None
    assert {"idle_ratio": found.gpu_busy_ratio, "freq_hz": found.gpu_clock_hertz}[key] is None


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A list some of whose bytes are others, or missing."""
    text = bytearray(printed())
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        text[start : start + draw(st.integers(0, 40))] = draw(st.binary(max_size=12))
    return bytes(text)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["cpu", "cpus", "freq_hz"]), inner),
    max_leaves=8,
)
_KEYS = st.sampled_from(["elapsed_ns", "processor", "gpu", "clusters", "cpu_energy", "idle_ratio", "freq_hz"])


@settings(max_examples=300)
@given(damaged() | st.binary(max_size=200))
def test_any_bytes_are_a_list_that_can_be_or_none(text: bytes) -> None:
    check_possible(text)


@settings(max_examples=200)
@given(st.dictionaries(_KEYS, _VALUES | st.dictionaries(_KEYS, _VALUES)))
def test_any_list_gives_values_that_can_be(made: dict[str, Any]) -> None:
    try:
        text = plistlib.dumps(made)
    except (TypeError, OverflowError, ValueError):  # not every such value can be written
        return
    check_possible(text)


def check_possible(text: bytes) -> None:
    found = parse_power_metrics(text)
    if found is not None:
        assert 0 < found.elapsed_seconds <= 1e6
        assert all(0 <= joules <= 1e6 for joules in found.joules.values())
        assert found.gpu_busy_ratio is None or 0 <= found.gpu_busy_ratio <= 1
        clocks = [*found.core_clocks_hertz.values(), found.gpu_clock_hertz or 1e6]
        assert all(1e6 <= clock <= 2e10 for clock in clocks)


class Program:
    """powermetrics under a root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        fifo = root / "fifo"
        os.mkfifo(fifo)
        self._pipe = os.open(fifo, os.O_RDWR)
        self.path = root / "usr/bin/powermetrics"
        self.path.parent.mkdir(parents=True)
        self.path.write_text(PROGRAM.format(python=sys.executable, options=OPTIONS, fifo=str(fifo)))
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def says(self, *lists: bytes) -> None:
        for text in lists:
            os.write(self._pipe, text)

    def close(self) -> None:
        os.close(self._pipe)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    found = Program(tmp_path)
    yield found
    found.close()


def awaited(sensor: ApplePowerMetrics, is_it: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Sample until it is so."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_it(values := by_name(sensor.sample())):
        assert time.monotonic() < deadline, values
        time.sleep(0.005)
    return values


def found_by(program: Program, missing: frozenset[Part]) -> ApplePowerMetrics:
    sensor = find_power_metrics(program.root, missing, is_superuser=True)
    assert isinstance(sensor, ApplePowerMetrics)
    return sensor


def test_energies_of_all_lists_add_up_and_the_rest_is_the_last_one_s(program: Program) -> None:
    program.says(printed())
    sensor = found_by(program, ALL)
    program.says(b"\0" + printed(cpu_mj=1000, gpu_mj=0), b"\0" + printed(seconds=0.5, cpu_mj=4000, idle_ratio=0.5))
    energy = "edgeprof_energy_joules_total apple CPU"
    values = awaited(sensor, lambda values: values.get(energy) == 7.5)
    assert values == {
        energy: 7.5,
        "edgeprof_power_watts apple CPU": 8.0,
        "edgeprof_gpu_energy_joules_total apple0": 18.0,
        "edgeprof_gpu_power_watts apple0 average": 18.0,
        "edgeprof_energy_joules_total apple ANE": 0.0,
        "edgeprof_power_watts apple ANE": 0.0,
        "edgeprof_gpu_busy_ratio apple0": 0.5,
        "edgeprof_gpu_clock_hertz sm apple0": 1.1625e9,
        "edgeprof_cpu_frequency_hertz 0": 1.404e9,
    }
    program.says(b"\0" + printed())
    readings: list[Reading] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not readings and time.monotonic() < deadline:
        readings = list(sensor.sample())
        time.sleep(0.005)
    check((sensor,), [readings])
    sensor.close()


def test_only_what_ioreport_does_not_give_is_taken(program: Program) -> None:
    program.says(printed(), b"\0" + printed())
    sensor = found_by(program, frozenset({Part.GPU}))
    program.says(b"\0" + printed())
    values = awaited(sensor, bool)
    assert set(values) == {"edgeprof_gpu_busy_ratio apple0", "edgeprof_gpu_clock_hertz sm apple0"}
    sensor.close()


def test_a_program_that_ends_is_lost_and_started_again(program: Program) -> None:
    program.says(printed())
    sensor = found_by(program, ALL)
    program.says(b"END")
    with pytest.raises(SensorLostError, match="has ended"):
        awaited(sensor, lambda _: False)
    program.says(b"\0" + printed(cpu_mj=123))
    assert awaited(sensor, bool)["edgeprof_energy_joules_total apple CPU"] == 0.123  # since it runs again
    sensor.close()


@pytest.mark.parametrize(
    ("missing", "is_superuser"), [(ALL, False), (frozenset({Part.MEMORY}), True), (frozenset[Part](), True)]
)
def test_it_is_not_even_started_for_nothing(program: Program, missing: frozenset[Part], is_superuser: bool) -> None:
    assert find_power_metrics(program.root, missing, is_superuser=is_superuser) is None


def test_a_program_that_refuses_to_run_is_absent(program: Program) -> None:
    program.says(b"END")
    assert find_power_metrics(program.root, ALL, is_superuser=True) is None
