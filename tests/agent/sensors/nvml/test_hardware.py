"""The NVIDIA sensors on a real GPU, beside nvidia-smi."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeprof_agent.sensors import nvml
from edgeprof_agent.sensors.nvml_throttle import throttle_reasons
from edgeprof_agent.sensors.sensor import FollowsProcess, Sensor
from tests.agent.sensors.devices import close
from tests.agent.sensors.test_conformance import check

MIB = 1024**2
Key = tuple[str, ...]  # a metric and its labels but for the GPU

# What nvidia-smi calls it, its unit in base units, and how far it may move between two reads, in base units.
PEERS: dict[Key, tuple[str, float, float]] = {
    ("edgeprof_gpu_busy_ratio",): ("utilization.gpu", 0.01, 0.1),
    ("edgeprof_gpu_memory_busy_ratio",): ("utilization.memory", 0.01, 0.1),
    ("edgeprof_gpu_memory_used_bytes",): ("memory.used", MIB, 64 * MIB),
    ("edgeprof_gpu_memory_total_bytes",): ("memory.total", MIB, MIB),
    ("edgeprof_gpu_power_watts", "average"): ("power.draw.average", 1, 25),
    ("edgeprof_gpu_power_watts", "instant"): ("power.draw.instant", 1, 50),
    ("edgeprof_gpu_module_power_watts", "average"): ("module.power.draw.average", 1, 25),
    ("edgeprof_gpu_module_power_watts", "instant"): ("module.power.draw.instant", 1, 50),
    ("edgeprof_gpu_temperature_celsius", "core"): ("temperature.gpu", 1, 2),
    ("edgeprof_gpu_temperature_celsius", "memory"): ("temperature.memory", 1, 2),
    ("edgeprof_gpu_temperature_margin_celsius",): ("temperature.gpu.tlimit", 1, 2),
    ("edgeprof_gpu_clock_hertz", "sm"): ("clocks.sm", 1e6, 2e8),
    ("edgeprof_gpu_clock_hertz", "memory"): ("clocks.mem", 1e6, 2e8),
    ("edgeprof_gpu_clock_max_hertz", "sm"): ("clocks.max.sm", 1e6, 0),
    ("edgeprof_gpu_clock_max_hertz", "memory"): ("clocks.max.mem", 1e6, 0),
    **{
        ("edgeprof_gpu_throttled_seconds_total", limiter, reason): (f"clocks_event_reasons_counters.{name}", 1e-6, 1)
        for limiter, reason, name in (
            ("software_power_cap", "power", "sw_power_cap"),
            ("software_slowdown", "thermal", "sw_thermal_slowdown"),
            ("hardware_slowdown", "thermal", "hw_thermal_slowdown"),
            ("hardware_power_brake", "power", "hw_power_brake_slowdown"),
        )
    },
}
# nvidia-smi does not print these, or not in its tables; each has a test of its own here or is a constant.
WITHOUT_PEER = {
    ("edgeprof_gpu_energy_joules_total",),
    ("edgeprof_gpu_memory_power_watts", "average"),
    ("edgeprof_gpu_memory_power_watts", "instant"),
    ("edgeprof_gpu_pcie_received_bytes_total",),
    ("edgeprof_gpu_pcie_transmitted_bytes_total",),
    ("edgeprof_gpu_throttled_seconds_total", "thermal_policy", "thermal"),
    ("edgeprof_memory_bandwidth_bytes_per_second", "both", "hardware_counter"),
    ("edgeprof_memory_bandwidth_peak_bytes_per_second", "computed"),
    *(("edgeprof_gpu_throttled_ratio", reason) for reason in throttle_reasons(0)),
}

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="there is no NVIDIA GPU"),
]


@pytest.fixture
def sensors() -> Iterator[tuple[Sensor, ...]]:
    found = tuple(nvml.discover(Path("/")))
    yield found
    close(found)


def ask_nvidia_smi(*query: str) -> list[list[str]]:
    command = ["nvidia-smi", *query, "--format=csv,noheader,nounits"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split(", ") for line in lines if line]


def numbers_of_nvidia_smi() -> list[dict[str, float]]:
    """Return each GPU's numbers, without those that it does not have."""
    fields = [field for field, _, _ in PEERS.values()]
    rows = ask_nvidia_smi(f"--query-gpu={','.join(fields)}")
    return [
        {field: float(text) for field, text in zip(fields, row, strict=True) if text.lstrip("-")[:1].isdigit()}
        for row in rows
    ]


def sample(sensors: tuple[Sensor, ...]) -> dict[tuple[str, Key], float]:
    readings = {}
    for sensor in sensors:
        for channel, value in sensor.sample():
            labels = dict(channel.labels)
            gpu = labels.pop("gpu", None) or labels.pop("memory")
            readings[gpu, (channel.metric, *(labels[name] for name in sorted(labels)))] = value
    return readings


def of_metric(readings: dict[tuple[str, Key], float], metric: str) -> dict[tuple[str, Key], float]:
    return {(gpu, key): value for (gpu, key), value in readings.items() if key[0] == metric}


def test_readings_conform(sensors: tuple[Sensor, ...]) -> None:
    check(sensors, [[reading for sensor in sensors for reading in sensor.sample()] for _ in range(2)])


def test_every_channel_agrees_with_nvidia_smi(sensors: tuple[Sensor, ...]) -> None:
    before = numbers_of_nvidia_smi()
    readings = sample(sensors)
    after = numbers_of_nvidia_smi()
    assert {key for gpu, key in readings if "/" not in gpu} <= {*PEERS, *WITHOUT_PEER}
    for index, (earlier, later) in enumerate(zip(before, after, strict=True)):
        for key, (field, unit, tolerance) in PEERS.items():
            ours = readings.get((f"gpu{index}", key))
            if ours is None:
                assert field not in earlier, f"nvidia-smi has {field}, {key} is absent"
            else:
                low, high = sorted((earlier[field] * unit, later[field] * unit))
                assert low - tolerance <= ours <= high + tolerance, field


def test_reasons_agree_with_nvidia_smi(sensors: tuple[Sensor, ...]) -> None:
    before = ask_nvidia_smi("--query-gpu=clocks_event_reasons.active")
    readings = sample(sensors)
    after = ask_nvidia_smi("--query-gpu=clocks_event_reasons.active")
    for index, ((earlier,), (later,)) in enumerate(zip(before, after, strict=True)):
        if earlier == later and earlier.startswith("0x"):
            for reason, is_active in throttle_reasons(int(earlier, 16)).items():
                assert readings[f"gpu{index}", ("edgeprof_gpu_throttled_ratio", reason)] == is_active


def test_counters_grow(sensors: tuple[Sensor, ...]) -> None:
    earlier = sample(sensors)
    energies = of_metric(earlier, "edgeprof_gpu_energy_joules_total")
    assert energies
    later = earlier
    for _ in range(100):  # the energy counter is refreshed every 100 ms or so, and nvidia-smi takes 10 at least
        if all(later[key] > value for key, value in energies.items()):
            break
        ask_nvidia_smi("--query-gpu=name")
        later = sample(sensors)
    assert all(later[key] > value for key, value in energies.items())
    assert all(later[key] >= value for key, value in earlier.items() if key[1][0].endswith("_total"))


def test_bandwidth_lies_below_the_peak(sensors: tuple[Sensor, ...]) -> None:
    sample(sensors)
    ask_nvidia_smi("--query-gpu=name")  # for some time between the two samples
    readings = sample(sensors)
    measured = of_metric(readings, "edgeprof_memory_bandwidth_bytes_per_second")
    peaks = {
        gpu: value for (gpu, _), value in of_metric(readings, "edgeprof_memory_bandwidth_peak_bytes_per_second").items()
    }
    assert all(0 <= value <= peaks[gpu] for (gpu, _), value in measured.items())
    if any("bandwidth" in sensor.name for sensor in sensors):
        assert measured


def test_memory_of_processes_agrees_with_nvidia_smi(sensors: tuple[Sensor, ...]) -> None:
    names = [row[0] for row in ask_nvidia_smi("--query-gpu=uuid")]
    for uuid, pid, used_mib in ask_nvidia_smi("--query-compute-apps=gpu_uuid,pid,used_gpu_memory"):
        for sensor in sensors:
            if isinstance(sensor, FollowsProcess):
                sensor.follow(int(pid))
        used = sample(sensors).get((f"gpu{names.index(uuid)}", ("edgeprof_workload_gpu_memory_bytes",)))
        if used_mib.isdigit():
            assert used is not None
            assert used >= int(used_mib) * MIB * 0.9  # descendants are counted in
