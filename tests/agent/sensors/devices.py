"""The device trees under tests/fixtures/devices, as roots that sensors read."""

import shutil
from pathlib import Path

from edgeprof_agent.recording.tree import overlay
from edgeprof_agent.sensors.registry import discover_sensors
from edgeprof_agent.sensors.sensor import Closes, FollowsProcess, Sensor
from tests.agent.sensors.apple import stand_in_library

FOLDER = Path(__file__).parents[2] / "fixtures/devices"
NAMES = tuple(sorted(path.name for path in FOLDER.iterdir()))

WORKLOAD_PID = 4242  # in the trees that have a workload


class Device:
    """A copy of one device's tree: at one moment, and at a later one."""

    def __init__(self, name: str, scratch: Path) -> None:
        self.folder = FOLDER / name
        self.root = scratch / name
        shutil.copytree(self.folder / "tree", self.root, symlinks=True)
        if (self.root / stand_in_library.STATE).exists():
            stand_in_library.install(self.root)

    def discover(self) -> tuple[Sensor, ...]:
        """Find the device's sensors, and have them follow its workload, if it has one."""
        sensors = discover_sensors(self.root)
        if (self.root / "proc" / str(WORKLOAD_PID)).exists():
            for sensor in sensors:
                if isinstance(sensor, FollowsProcess):
                    sensor.follow(WORKLOAD_PID)
        return sensors

    def pass_time(self) -> None:
        """Bring the tree to its later moment."""
        overlay(self.root, self.folder / "later")


def close(sensors: tuple[Sensor, ...]) -> None:
    """Close what the sensors hold open."""
    for sensor in sensors:
        if isinstance(sensor, Closes):
            sensor.close()
