"""Why figures of a Jetson may be missing."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.diagnosis.access import GROUP, JOIN_GROUP, is_refused
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State, absent
from edgeprof_agent.sensors.jetson_module import is_jetson
from edgeprof_agent.sensors.jetson_stats import INTERPRETER_VARIABLE

_MEMORY = (
    "edgeprof_memory_busy_ratio",
    "edgeprof_memory_bandwidth_bytes_per_second",
    "edgeprof_memory_clock_hertz",
    "edgeprof_memory_clock_max_hertz",
    "edgeprof_memory_bandwidth_peak_bytes_per_second",
)
JETSON = (
    "edgeprof_power_watts",
    "edgeprof_power_total_watts",
    "edgeprof_gpu_busy_ratio",
    "edgeprof_gpu_clock_hertz",
    "edgeprof_gpu_clock_max_hertz",
    "edgeprof_throttled_ratio",
    "edgeprof_overcurrent_events_total",
    "edgeprof_clock_locked_ratio",
    *_MEMORY,
)

_DEBUG = "sys/kernel/debug"
_OPEN_DEBUGFS = (
    *JOIN_GROUP,
    f"sudo mount -o remount,mode=0750,gid={GROUP} /{_DEBUG}",
    f"echo 'debugfs /{_DEBUG} debugfs mode=0750,gid={GROUP} 0 0' \\\n  | sudo tee -a /etc/fstab",
)
_USE_JTOP = ('sudo usermod -aG jtop "$USER"  # then log in again', f"export {INTERPRETER_VARIABLE}=/usr/bin/python3")


def jetson(root: Path) -> Sequence[Obstacle]:
    """The memory controller is root's; the rest is everybody's where the module has it."""
    if not is_jetson(root):
        return (absent(JETSON, "/proc/device-tree/compatible", "not a Jetson"),)
    others = tuple(metric for metric in JETSON if metric not in _MEMORY)
    obstacles = [absent(others, "/sys/bus/i2c, /sys/class/devfreq, /sys/class/thermal", "this module does not show it")]
    if is_refused(root / _DEBUG / "bpmp"):
        return (*obstacles, _closed_debugfs(root))
    return (*obstacles, absent(_MEMORY, f"/{_DEBUG}", "this kernel does not show the memory controller"))


def _closed_debugfs(root: Path) -> Obstacle:
    has_service = (root / "run/jtop.sock").exists()
    way_out = "jetson-stats passes on what its service sees" if has_service else "a group can be let in, to all of it"
    return Obstacle(
        metrics=_MEMORY,
        state=State.REFUSED,
        source=f"/{_DEBUG}/bpmp",
        reason=f"only root may look into debugfs; {way_out}",
        remedies=_USE_JTOP if has_service else _OPEN_DEBUGFS,
    )
