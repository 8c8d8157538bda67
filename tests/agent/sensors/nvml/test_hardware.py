"""The NVIDIA sensors on a real GPU, beside nvidia-smi."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edgeprof_agent.sensors import nvml
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sensors.devices import close

MIB = 1024**2
# What nvidia-smi calls it, its unit in base units, and how far it may move between two reads, in base units.
PEERS: dict[tuple[str, str | None], tuple[str, float, float]] = {
    ("edgeprof_gpu_busy_ratio", None): ("utilization.gpu", 0.01, 0.1),
    ("edgeprof_gpu_memory_busy_ratio", None): ("utilization.memory", 0.01, 0.1),
    ("edgeprof_gpu_memory_used_bytes", None): ("memory.used", MIB, 64 * MIB),
    ("edgeprof_gpu_memory_total_bytes", None): ("memory.total", MIB, MIB),
    ("edgeprof_gpu_power_watts", "average"): ("power.draw.average", 1, 25),
    ("edgeprof_gpu_power_watts", "instant"): ("power.draw.instant", 1, 50),
    ("edgeprof_gpu_temperature_celsius", "core"): ("temperature.gpu", 1, 2),
    ("edgeprof_gpu_temperature_celsius", "memory"): ("temperature.memory", 1, 2),
    ("edgeprof_gpu_clock_hertz", "sm"): ("clocks.sm", 1e6, 2e8),
    ("edgeprof_gpu_clock_hertz", "memory"): ("clocks.mem", 1e6, 2e8),
    ("edgeprof_gpu_clock_max_hertz", "sm"): ("clocks.max.sm", 1e6, 0),
    ("edgeprof_gpu_clock_max_hertz", "memory"): ("clocks.max.mem", 1e6, 0),
}

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="there is no NVIDIA GPU"),
]


def ask_nvidia_smi() -> list[dict[str, float]]:
    """Return each GPU's numbers, without those that it does not have."""
    fields = [field for field, _, _ in PEERS.values()]
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [zip(fields, line.split(", "), strict=True) for line in lines]
    return [{field: float(text) for field, text in row if text[:1].isdigit()} for row in rows]


def sample(sensors: tuple[Sensor, ...]) -> dict[tuple[str, str, str | None], float]:
    readings = {}
    for sensor in sensors:
        for channel, value in sensor.sample():
            labels = dict(channel.labels)
            gpu = labels.pop("gpu")
            readings[channel.metric, gpu, next(iter(labels.values()), None)] = value
    return readings


def test_every_channel_agrees_with_nvidia_smi() -> None:
    sensors = tuple(nvml.discover(Path("/")))
    before = ask_nvidia_smi()
    readings = sample(sensors)
    after = ask_nvidia_smi()
    close(sensors)
    for index, (earlier, later) in enumerate(zip(before, after, strict=True)):
        for (metric, label), (field, unit, tolerance) in PEERS.items():
            ours = readings.get((metric, f"gpu{index}", label))
            if ours is None:
                assert field not in earlier, f"nvidia-smi has {field}, {metric} is absent"
            else:
                low, high = sorted((earlier[field] * unit, later[field] * unit))
                assert low - tolerance <= ours <= high + tolerance, field


def test_energy_grows() -> None:
    sensors = tuple(nvml.discover(Path("/")))
    energies = [
        value for (metric, _, _), value in sample(sensors).items() if metric == "edgeprof_gpu_energy_joules_total"
    ]
    ask_nvidia_smi()  # takes longer than the counter's refresh of 100 ms
    later = [value for (metric, _, _), value in sample(sensors).items() if metric == "edgeprof_gpu_energy_joules_total"]
    close(sensors)
    assert energies
    assert all(second > first for first, second in zip(energies, later, strict=True))
