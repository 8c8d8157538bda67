"""What the sensors of Apple Silicon cost: CPU time per sample of each, on a stand-in for macOS's libraries.

Run by hand: ``python -m benchmarks.apple_cost [--rounds N]``. It needs a C compiler and no Mac. The stand-in answers in
some microseconds, so this is the cost of the sensors, of ctypes and of the stand-in's own objects. On a Mac the
drivers' own time comes on top, for IOReport 3 to 9 ms a sample as others measured; ``edgeprof_sensor_sample_seconds``
shows it. Each figure is the median of interleaved rounds.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.agent.sensors.devices import NAMES, Device, close

from edgeprof_agent.sensors.sensor import Sensor

_SAMPLES_PER_ROUND = 100


def main() -> None:
    """Measure each Mac and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help=f"rounds of {_SAMPLES_PER_ROUND} samples each")
    rounds = parser.parse_args().rounds
    for name in NAMES:
        if name.startswith("apple-"):
            print(name, flush=True)
            with tempfile.TemporaryDirectory() as scratch:
                _measure(Device(name, Path(scratch)), rounds)


def _measure(device: Device, rounds: int) -> None:
    sensors = device.discover()
    costs_us: dict[str, list[float]] = {sensor.name: [] for sensor in sensors}
    for sensor in sensors:
        sensor.sample()
    device.pass_time()
    counts = {sensor.name: len(sensor.sample()) for sensor in sensors}
    for _ in range(rounds):
        for sensor in sensors:
            costs_us[sensor.name].append(_thread_time_us(sensor))
    for sensor in sensors:
        cost_us = statistics.median(costs_us[sensor.name])
        count = counts[sensor.name]
        print(f"  {sensor.name:<22} {sensor.tier.value:<5} {cost_us:8.1f} us CPU  {count:3d} channels", flush=True)
    close(sensors)


def _thread_time_us(sensor: Sensor) -> float:
    start_ns = time.thread_time_ns()
    for _ in range(_SAMPLES_PER_ROUND):
        sensor.sample()
    return (time.thread_time_ns() - start_ns) / 1000 / _SAMPLES_PER_ROUND


if __name__ == "__main__":
    main()
