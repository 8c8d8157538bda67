"""What holds for every sensor, on every device tree and on this machine."""

import math
from collections import Counter
from pathlib import Path

import pytest

from edgeprof.catalogue import METRICS
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.registry import discover_sensors
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sensors.devices import NAMES, Device, close

APPLE_LIBRARIES = ("IOReport/", "IORegistry/", "IOHID/", "SMC/", "MTLDevice/", "notify/", "sysctl/")

# What values of a unit can be, by the end of the metric's name. No sentinel lies in these ranges.
RANGES = {
    "_ratio": (0, 1),
    "_celsius": (-39.9, 124.9),
    "_watts": (0, 2000),
    "_hertz": (1e6, 2e10),
    "_bytes": (0, 1e14),
    "_bytes_total": (0, 1e18),
    "_joules_total": (0, 1e15),
    "_seconds_total": (0, 1e10),
    "_faults_total": (0, 1e15),
    "_events_total": (0, 1e12),
    "_bytes_per_second": (0, 2e13),
}


def check(sensors: tuple[Sensor, ...], samples: list[list[Reading]]) -> None:
    assert len({sensor.name for sensor in sensors}) == len(sensors)
    for readings in samples:
        counts = Counter((channel.metric, channel.labels) for channel, _ in readings)
        assert not [identity for identity, count in counts.items() if count > 1]
        for channel, value in readings:
            metric = METRICS[channel.metric]
            low, high = next(limits for unit, limits in RANGES.items() if metric.name.endswith(unit))
            assert low <= value <= high, channel
            assert math.isfinite(value)
            assert channel.resolution == metric.resolution
            assert tuple(sorted(metric.labels)) == tuple(name for name, _ in channel.labels)
            assert all(label for _, label in channel.labels)
            assert channel.source.startswith(("/", "nvml", "psutil.", *APPLE_LIBRARIES))


def sample(sensors: tuple[Sensor, ...]) -> list[Reading]:
    readings = []
    for sensor in sensors:
        for reading in sensor.sample():
            assert sensor.tier in {METRICS[reading.channel.metric].tier, Tier.SLOW}, sensor.name
            readings.append(reading)
    return readings


@pytest.mark.parametrize("name", NAMES)
def test_on_a_device_tree(name: str, tmp_path: Path) -> None:
    device = Device(name, tmp_path)
    sensors = device.discover()
    before = sample(sensors)
    device.pass_time()
    after = sample(sensors)
    close(sensors)
    assert before
    check(sensors, [before, after])
    assert not any(str(tmp_path) in channel.source for channel, _ in after)


def test_on_this_machine() -> None:
    sensors = discover_sensors(Path("/"))
    samples = [sample(sensors), sample(sensors)]
    close(sensors)
    assert samples[0]
    check(sensors, samples)


def test_on_an_empty_tree(tmp_path: Path) -> None:
    assert discover_sensors(tmp_path) == ()
