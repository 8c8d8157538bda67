"""Uses NVML as the agent does, in a process whose library path was set before it began.

Reads a line per command, a word and perhaps a number; answers each with a line of JSON.
"""

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sampling.guard import GuardedSensor
from edgeprof_agent.sampling.panel import Panel
from edgeprof_agent.sensors import nvml
from edgeprof_agent.sensors.nvml_discovery import discover_gpus
from edgeprof_agent.sensors.registry import Family, discover_sensors
from edgeprof_agent.sensors.sensor import Closes, FollowsProcess, MayBlock, Sensor
from tests.agent.sampling.stand_ins import MEMORY, ScriptedSensor, WoundClock, constant

_PATIENCE_SECONDS = 30


class Machine:
    """The sensors, and the panel that samples them."""

    def __init__(self) -> None:
        self.sensors: tuple[Sensor, ...] = ()
        self.clock = WoundClock()
        self.panel: Panel | None = None

    def discover(self) -> object:
        """Find the sensors. Whether a GPU sleeps is told by a folder of the test, if it made one."""
        pci_folder = Path(os.environ["STAND_IN_PCI"])
        find = (lambda _: discover_gpus(pci_folder)) if pci_folder.exists() else nvml.discover
        self.sensors = discover_sensors(Path("/"), [Family("nvml", find)])
        return [(sensor.name, sensor.tier.value, isinstance(sensor, MayBlock)) for sensor in self.sensors]

    def sample(self) -> object:
        return {sensor.name: _sample(sensor) for sensor in self.sensors}

    def conform(self) -> object:
        from tests.agent.sensors.test_conformance import check  # which takes long to import

        samples: list[list[Reading]] = [
            [reading for sensor in self.sensors for reading in sensor.sample()] for _ in range(2)
        ]
        check(self.sensors, samples)
        return len(samples[1])

    def facts(self) -> object:
        return [asdict(accelerator) for accelerator in nvml.accelerators(Path("/"))]

    def follow(self, pid: int) -> None:
        for sensor in self.sensors:
            if isinstance(sensor, FollowsProcess):
                sensor.follow(pid or None)

    def close(self) -> object:
        for sensor in self.sensors:
            assert isinstance(sensor, Closes)
            sensor.close()
        return ctypes.CDLL("libnvidia-ml.so.1").stand_in_samples_alive()

    def start(self) -> None:
        self.panel = Panel((ScriptedSensor(constant(MEMORY, 1.0), "memory"), *self.sensors), self.clock)
        self.panel.start()

    def tick(self) -> object:
        """Ask for the fast tier, and say what the quick sensors gave at once."""
        assert self.panel is not None
        return [reading.value for reading in self.panel.sample(Tier.FAST)]

    def fetch(self) -> object:
        """Wait for a sample of the workers and name its sensor."""
        assert self.panel is not None
        names: list[str] = []
        while not names:
            names += [sample.sensor for sample in self.panel.fetch()[0]]
            time.sleep(0.001)
        return names

    def blocked(self) -> object:
        """Wait until time has passed over a sensor that hangs, and name those that are up."""
        assert self.panel is not None
        guards = self.panel.guards
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while all(self._is_up(guard) for guard in guards) and time.monotonic() < deadline:
            self.clock.advance(3)
            time.sleep(0.001)
        return [guard.name for guard in guards if self._is_up(guard)]

    def stop(self) -> None:
        assert self.panel is not None
        self.panel.stop()

    def _is_up(self, guard: GuardedSensor) -> bool:
        return guard.is_up(self.clock.monotonic_ns())


def _sample(sensor: Sensor) -> dict[str, object]:
    try:
        readings = sensor.sample()
    except Exception as error:  # noqa: BLE001  the test says which it should be
        return {"error": f"{type(error).__name__}: {error}"}
    return {f"{channel.metric} {' '.join(value for _, value in channel.labels)}": value for channel, value in readings}


def main() -> None:
    machine = Machine()
    for line in sys.stdin:
        word, *numbers = line.split()
        command: Callable[..., object] = getattr(machine, word)
        sys.stdout.write(f"{json.dumps(command(*map(int, numbers)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
