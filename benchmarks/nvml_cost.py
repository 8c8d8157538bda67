"""What the NVIDIA sensors cost: CPU time per sample of each, on a stand-in for the driver's library.

Run by hand: ``python -m benchmarks.nvml_cost [--rounds N]``. It needs a C compiler and no GPU. The stand-in answers at
once, so this is the cost of the sensors and of pynvml alone; a real driver's own time comes on top, and is what
``edgeprof_sensor_sample_seconds`` shows. Each figure is the median of interleaved rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.agent.sensors.nvml.machine import TODAY, compile_stand_in

from edgeprof_agent.sensors import nvml
from edgeprof_agent.sensors.sensor import Closes, FollowsProcess, Sensor

_MACHINES = ("rtx3090", "rtx4090", "h200", "gb10")
_SAMPLES_PER_ROUND = 200


def main() -> None:
    """Measure each machine in a process of its own, whose library path is set before it begins, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help=f"rounds of {_SAMPLES_PER_ROUND} samples each")
    parser.add_argument(
        "--measure", action="store_true", help="measure this process's GPUs: real ones, or the stand-in"
    )
    arguments = parser.parse_args()
    if arguments.measure:
        _measure(arguments.rounds)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = compile_stand_in(Path(scratch), TODAY)
        for machine in _MACHINES:
            print(machine, flush=True)
            processes = folder / "processes"
            processes.write_text(f"C {machine} {os.getpid()} 1000")
            environment = {
                **os.environ,
                "LD_LIBRARY_PATH": str(folder),
                "STAND_IN_GPUS": machine,
                "STAND_IN_PROCESSES": str(processes),
            }
            command = [sys.executable, "-m", "benchmarks.nvml_cost", "--measure", "--rounds", str(arguments.rounds)]
            subprocess.run(command, check=True, env=environment)


def _measure(rounds: int) -> None:
    sensors = tuple(nvml.discover(Path("/")))
    for sensor in sensors:
        if isinstance(sensor, FollowsProcess):
            sensor.follow(os.getppid())
    costs_us: dict[str, list[float]] = {sensor.name: [] for sensor in sensors}
    for _ in range(rounds):
        for sensor in sensors:
            costs_us[sensor.name].append(_thread_time_us(sensor))
    counts = [len(sensor.sample()) for sensor in sensors]
    for sensor, count in zip(sensors, counts, strict=True):
        cost_us = statistics.median(costs_us[sensor.name])
        print(f"  {sensor.name:<22} {sensor.tier.value:<5} {cost_us:8.1f} us CPU  {count:3d} channels", flush=True)
        if isinstance(sensor, Closes):
            sensor.close()


def _thread_time_us(sensor: Sensor) -> float:
    start_ns = time.thread_time_ns()
    for _ in range(_SAMPLES_PER_ROUND):
        sensor.sample()
    return (time.thread_time_ns() - start_ns) / 1000 / _SAMPLES_PER_ROUND


if __name__ == "__main__":
    main()
