"""What the NVIDIA sensors cost: CPU time per sample of each, on a stand-in for the driver's library.

Run by hand: ``python -m benchmarks.nvml_cost [--rounds N]``. It needs a C compiler and no GPU. The stand-in answers at
once, so this is the cost of the sensors and of pynvml alone; a real driver's own time comes on top, and is what
``edgeprof_sensor_sample_seconds`` shows. Each figure is the median of interleaved rounds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.agent.sensors.devices import close
from tests.agent.sensors.nvml.machine import TODAY, compile_stand_in

from benchmarks.sample_time import SAMPLES_PER_ROUND, sample_costs
from edgeprof_agent.sensors import nvml
from edgeprof_agent.sensors.sensor import FollowsProcess

_MACHINES = ("rtx3090", "rtx4090", "h200", "gb10")


def main() -> None:
    """Measure each machine in a process of its own, whose library path is set before it begins, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help=f"rounds of {SAMPLES_PER_ROUND} samples each")
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
    for cost in sample_costs(sensors, rounds):
        name = f"{cost.sensor:<22} {cost.tier.value:<5}"
        print(f"  {name} {cost.cpu_us:8.1f} us CPU  {cost.channels:3d} channels", flush=True)
    close(sensors)


if __name__ == "__main__":
    main()
