"""All sensors of a Jetson: the kernel's files first, programs only for what those do not show."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors import (
    jetson_clocks,
    jetson_emc,
    jetson_gpu,
    jetson_rails,
    jetson_stats,
    jetson_throttle,
    tegrastats,
)
from edgeprof_agent.sensors.jetson_module import is_jetson
from edgeprof_agent.sensors.jetson_values import Group
from edgeprof_agent.sensors.kernel_file import read_text
from edgeprof_agent.sensors.sensor import Sensor


def discover(root: Path) -> Sequence[Sensor]:
    """Return the sensors of a Jetson; none on any other device."""
    if not is_jetson(root):
        return ()
    rails = jetson_rails.discover(root)
    gpu = jetson_gpu.discover(root)
    memory = jetson_emc.discover(root)
    found: list[Sensor | None] = [
        rails,
        *gpu,
        *memory,
        jetson_throttle.discover(root),
        jetson_clocks.discover(root),
    ]
    missing = {
        Group.POWER: rails is None,
        Group.TEMPERATURE: not any(read_text(path) for path in root.glob("sys/class/thermal/thermal_zone*/temp")),
        Group.GPU: not gpu,
        Group.MEMORY: not any(isinstance(sensor, jetson_emc.JetsonMemory) for sensor in memory),
    }
    groups = frozenset(group for group, is_missing in missing.items() if is_missing)
    found.append(tegrastats.discover(root, groups) or jetson_stats.discover(root, groups))
    return [sensor for sensor in found if sensor is not None]
