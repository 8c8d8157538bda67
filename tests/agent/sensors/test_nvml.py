"""NVIDIA GPUs: the real pynvml on a stand-in for the driver's library."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeprof_agent.sensors import nvml
from edgeprof_agent.sensors.nvml_queries import throttle_reasons

HERE = Path(__file__).parent
GPU_3090 = {
    "edgeprof_gpu_busy_ratio gpu0": 0.97,
    "edgeprof_gpu_memory_busy_ratio gpu0": 0.61,
    "edgeprof_gpu_memory_used_bytes gpu0": 5120 * 1024**2,
    "edgeprof_gpu_power_watts gpu0 average": 347.21,
    "edgeprof_gpu_power_watts gpu0 instant": 351.87,
    "edgeprof_gpu_energy_joules_total gpu0": 812345678.901,
    "edgeprof_gpu_temperature_celsius gpu0 core": 71.0,
    "edgeprof_gpu_clock_hertz sm gpu0": 1.74e9,
    "edgeprof_gpu_clock_hertz memory gpu0": 9.751e9,
    "edgeprof_gpu_throttled_ratio gpu0 power": 1.0,
    "edgeprof_gpu_throttled_ratio gpu0 thermal": 0.0,
    "edgeprof_gpu_throttled_ratio gpu0 idle": 0.0,
    "edgeprof_gpu_throttled_ratio gpu0 other": 0.0,
}


class Child:
    """The process that has the stand-in loaded."""

    def __init__(self, library_folder: Path, gpus: str, trouble: Path) -> None:
        self._trouble = trouble
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(library_folder),
            "STAND_IN_GPUS": gpus,
            "STAND_IN_TROUBLE": str(trouble),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", HERE / "nvml_child.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __call__(self, word: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def trouble(self, word: str) -> None:
        self._trouble.write_text(word)

    def end(self) -> int:
        self._process.communicate()
        return self._process.returncode


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with the stand-in, as a driver of today and as an old one."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    folders = {}
    for name, options in (("today", []), ("old", ["-DOLD_DRIVER"])):
        folders[name] = tmp_path_factory.mktemp(name)
        library = folders[name] / "libnvidia-ml.so.1"
        command = [compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", *options]
        subprocess.run([*command, "-o", library, HERE / "nvml_stand_in.c"], check=True)
    return folders


@pytest.fixture
def start(libraries: dict[str, Path], tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Starts children with the GPUs named, and sees to it that they end well."""
    children = []

    def start_child(gpus: str, driver: str = "today") -> Child:
        children.append(Child(libraries[driver], gpus, tmp_path / "trouble"))
        return children[-1]

    yield start_child
    assert [child.end() for child in children] == [0] * len(children)


def test_a_gpu_gives_every_channel_in_base_units(start: Callable[..., Child]) -> None:
    child = start("rtx3090")
    assert child("discover") == [["nvml_gpu0", "fast", True], ["nvml_gpu0_totals", "slow", True]]
    assert child("sample") == {
        "nvml_gpu0": GPU_3090,
        "nvml_gpu0_totals": {
            "edgeprof_gpu_memory_total_bytes gpu0": 24576 * 1024**2,
            "edgeprof_gpu_clock_max_hertz sm gpu0": 2.1e9,
            "edgeprof_gpu_clock_max_hertz memory gpu0": 9.751e9,
        },
    }
    child("close")
    child("close")


def test_gpus_keep_their_numbers(start: Callable[..., Child]) -> None:
    child = start("unsupported,rtx3090,rtx2080")
    names = [name for name, _, _ in child("discover")]
    assert names == ["nvml_gpu1", "nvml_gpu1_totals", "nvml_gpu2", "nvml_gpu2_totals"]
    samples = child("sample")
    assert samples["nvml_gpu1"]["edgeprof_gpu_clock_hertz sm gpu1"] == 1.74e9
    assert samples["nvml_gpu2"]["edgeprof_gpu_clock_hertz sm gpu2"] == 3e8


def test_a_driver_that_supports_nothing_is_absent(start: Callable[..., Child]) -> None:
    child = start("unsupported")
    assert child("discover") == []
    assert child("facts") == [
        {
            "name": "gpu0",
            "product": "NVIDIA stand-in",
            "vendor": "NVIDIA",
            "memory_total_bytes": None,
            "driver_version": "595.71.05",
            "unified_memory": True,
        }
    ]


def test_power_of_gpus_without_its_fields_says_over_what_it_was_taken(start: Callable[..., Child]) -> None:
    child = start("rtx2080")
    child("discover")
    sample = child("sample")["nvml_gpu0"]
    assert sample["edgeprof_gpu_power_watts gpu0 instant"] == 12.12
    assert "edgeprof_gpu_power_watts gpu0 average" not in sample
    child = start("rtx3090", driver="old")
    child("discover")
    sample = child("sample")["nvml_gpu0"]
    assert sample["edgeprof_gpu_power_watts gpu0 average"] == 347.21
    assert "edgeprof_gpu_power_watts gpu0 instant" not in sample


def test_a_memory_temperature_of_0_degrees_is_none(start: Callable[..., Child]) -> None:
    child = start("rtx2080")
    child("discover")
    sample = child("sample")["nvml_gpu0"]
    assert "edgeprof_gpu_temperature_celsius gpu0 core" in sample
    assert "edgeprof_gpu_temperature_celsius gpu0 memory" not in sample


def test_old_drivers_have_another_call_for_the_temperature(start: Callable[..., Child]) -> None:
    child = start("rtx3090", driver="old")
    child("discover")
    assert child("sample")["nvml_gpu0"]["edgeprof_gpu_temperature_celsius gpu0 core"] == 71.0


def test_facts(start: Callable[..., Child]) -> None:
    facts = start("rtx3090,rtx2080")("facts")
    assert [fact["name"] for fact in facts] == ["gpu0", "gpu1"]
    assert facts[1] == {
        "name": "gpu1",
        "product": "NVIDIA GeForce RTX 2080",
        "vendor": "NVIDIA",
        "memory_total_bytes": 8192 * 1024**2,
        "driver_version": "595.71.05",
        "unified_memory": False,
    }


@pytest.mark.parametrize(
    ("trouble", "error"),
    [("lost", "SensorLostError: the GPU is gone: GPU is lost"), ("unloaded", "SensorLostError: the GPU is gone:")],
)
def test_a_gpu_that_went_away_is_found_again(start: Callable[..., Child], trouble: str, error: str) -> None:
    child = start("rtx3090")
    child("discover")
    before = child("sample")
    child.trouble(trouble)
    assert child("sample")["nvml_gpu0"]["error"].startswith(error)
    assert all(set(sample) == {"error"} for sample in child("sample").values())
    child.trouble("")
    assert child("sample") == before
    child("close")


def test_a_library_without_its_driver_is_absent(start: Callable[..., Child]) -> None:
    child = start("rtx3090")
    child.trouble("unloaded")
    assert child("discover") == []
    assert child("facts") == []


@pytest.mark.parametrize(
    ("mask", "reasons"),
    [
        (0x0, set()),
        (0x1, {"idle"}),
        (0x4, {"power"}),
        (0x8, {"other"}),  # a hardware slowdown that says no more
        (0x48, {"thermal"}),  # a hardware slowdown that is explained by heat
        (0x88, {"power"}),
        (0x24, {"power", "thermal"}),
        (0x12, {"other"}),
        (0x600, {"other"}),
        (0x2000, {"other"}),  # a reason that is not known yet
    ],
)
def test_throttle_reasons(mask: int, reasons: set[str]) -> None:
    assert {reason for reason, is_active in throttle_reasons(mask).items() if is_active} == reasons


def test_a_tree_elsewhere_has_none_of_this_machines_gpus(tmp_path: Path) -> None:
    assert nvml.discover(tmp_path) == ()
    assert nvml.accelerators(tmp_path) == ()
