"""What each sensor costs: CPU time per sample on this machine, on every recorded device tree and on a stand-in.

    python -m benchmarks.sensor_cost [--rounds N]

Each line is one sensor: its lowest and highest cost over the devices that have it, which device that was, and how
many channels it gave there. The trees' files are ordinary ones, so this is the cost of the sensors and of the system
calls; what a real driver or a slow bus takes comes on top, and is what ``edgeprof_sensor_sample_seconds`` shows. The
sums below it are those of whole devices. A tree stands still, so shares of CPU time are worked out but not given.
tegrastats is played by a program whose own time is not counted; its sensor takes a line to pieces once, when it comes,
which is measured apart. NVIDIA's sensors are ``nvml_cost``'s.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agent.sensors.devices import NAMES, Device, close
from tests.agent.sensors.test_tegrastats import Jetson
from tests.agent.sensors.test_tegrastats_line import NANO_JETPACK_4

from benchmarks.sample_time import SAMPLES_PER_ROUND, SampleCost, sample_costs, thread_time_us
from edgeprof.metric import Tier
from edgeprof_agent.sensors import tegrastats
from edgeprof_agent.sensors.jetson_values import Group
from edgeprof_agent.sensors.registry import discover_sensors
from edgeprof_agent.sensors.sensor import FollowsProcess, Sensor
from edgeprof_agent.sensors.tegrastats_line import parse_line

FAST_BUDGET_US, FULL_BUDGET_US = 300.0, 500.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help=f"rounds of {SAMPLES_PER_ROUND} samples each")
    costs = dict(device_costs(parser.parse_args().rounds))
    print_sensors(costs)
    print_devices(costs)


def device_costs(rounds: int) -> Iterator[tuple[str, list[SampleCost]]]:
    """Yield the costs of this machine's sensors, of each tree's, and of tegrastats."""
    with workload() as pid:
        sensors = discover_sensors(Path("/"))
        follow(sensors, pid)
        yield "this machine", measured(sensors, rounds)
    with tempfile.TemporaryDirectory() as scratch:
        for name in NAMES:
            device = Device(name, Path(scratch))
            sensors = device.discover()
            for sensor in sensors:
                sensor.sample()
            device.pass_time()
            yield name, measured(sensors, rounds)
        folder = Path(scratch) / "tegrastats"
        folder.mkdir()
        board = Jetson(folder)
        board.says(NANO_JETPACK_4)
        found = tegrastats.discover(board.root, frozenset(Group))
        assert found is not None
        yield "tegrastats, no new line", measured((found,), rounds)
        line = NANO_JETPACK_4.encode()
        line_us = thread_time_us(lambda _: parse_line(line), SAMPLES_PER_ROUND)
        print(f"tegrastats, each new line: {line_us:.1f} us CPU to take it to pieces")
        board.close()


def measured(sensors: tuple[Sensor, ...], rounds: int) -> list[SampleCost]:
    """Measure the sensors and close them."""
    costs = sample_costs(sensors, rounds)
    close(sensors)
    return costs


@contextmanager
def workload() -> Iterator[int]:
    """A process that sleeps."""
    sleeper = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(sleeper, stdin=subprocess.PIPE) as process:
        yield process.pid


def follow(sensors: tuple[Sensor, ...], pid: int) -> None:
    """Have the sensors of processes follow this one."""
    for sensor in sensors:
        if isinstance(sensor, FollowsProcess):
            sensor.follow(pid)


def print_sensors(costs: dict[str, list[SampleCost]]) -> None:
    """One line per sensor; those of a device's several cards count as one."""
    by_sensor: dict[str, list[tuple[SampleCost, str]]] = {}
    for device, found in costs.items():
        for cost in found:
            by_sensor.setdefault(re.sub(r"(amd|intel)\d+", r"\1N", cost.sensor), []).append((cost, device))
    print(f"{'sensor':<24} {'tier':<4} {'CPU us per sample':>18} {'channels':>8}  where it was highest")
    for name, found_at in by_sensor.items():
        lowest = min(cost.cpu_us for cost, _ in found_at)
        highest, device = max(found_at, key=lambda found: found[0].cpu_us)
        span = f"{lowest:.1f} to {highest.cpu_us:.1f}"
        print(f"{name:<24} {highest.tier.value:<4} {span:>18} {highest.channels:8d}  {device} (of {len(found_at)})")


def print_devices(costs: dict[str, list[SampleCost]]) -> None:
    """One line per device: all its sensors of the fast tier together, and all its sensors."""
    print(f"\n{'device':<50} {'fast, us':>9} {'full, us':>9}")
    worst_fast = worst_full = 0.0
    for device, found in costs.items():
        fast = sum(cost.cpu_us for cost in found if cost.tier is Tier.FAST)
        full = sum(cost.cpu_us for cost in found)
        worst_fast, worst_full = max(worst_fast, fast), max(worst_full, full)
        print(f"{device:<50} {fast:9.1f} {full:9.1f}")
    print(
        f"dearest fast tick {worst_fast / FAST_BUDGET_US:.2f} of the budget of {FAST_BUDGET_US:.0f} us, "
        f"full tick {worst_full / FULL_BUDGET_US:.2f} of {FULL_BUDGET_US:.0f}"
    )


if __name__ == "__main__":
    main()
