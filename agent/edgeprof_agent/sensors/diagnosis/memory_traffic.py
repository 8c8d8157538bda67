"""Why the bytes that memory moves may not be counted."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.diagnosis.access import has_cpu_flag, is_refused, is_virtual
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State, absent
from edgeprof_agent.sensors.kernel_file import read_int

MEMORY_TRAFFIC = ("edgeprof_memory_moved_bytes_total",)

_UNITS = ("uncore_imc*", "amd_umc_*")
_PARANOID = "proc/sys/kernel/perf_event_paranoid"
_SETTING = "/etc/sysctl.d/60-edgeprof.conf"
_MOUNT = "sys/fs/resctrl"
_CONTROLLERS_SOURCE = "/sys/bus/event_source/devices/uncore_imc*, amd_umc_*"


def memory_traffic(root: Path) -> Sequence[Obstacle]:
    """Name the nearer of the two ways that is closed: the controllers' counters, then the caches'."""
    units = [unit for name in _UNITS for unit in sorted(root.glob(f"sys/bus/event_source/devices/{name}"))]
    paranoid = read_int(root / _PARANOID)
    if units and paranoid is not None and paranoid > 0:
        return (
            _refused(
                f"/{_PARANOID}",
                f"it is {paranoid}: counters of the whole system take 0 or lower, or CAP_PERFMON",
                f"echo kernel.perf_event_paranoid=0 \\\n  | sudo tee {_SETTING}",
                f"sudo sysctl -p {_SETTING}",
            ),
        )
    if has_cpu_flag(root, "cqm_mbm_total"):
        mount = root / _MOUNT
        if is_refused(mount / "mon_groups") or (mount / "mon_data").exists():
            reason = "its counters give no value to this user, or control groups split them"
            return (absent(MEMORY_TRAFFIC, f"/{_MOUNT}/mon_data", reason),)
        return (_refused(f"/{_MOUNT}", "resctrl is not mounted", f"sudo mount -t resctrl resctrl /{_MOUNT}"),)
    if is_virtual(root):
        return (absent(MEMORY_TRAFFIC, _CONTROLLERS_SOURCE, "a virtual machine: its host has the counters"),)
    return (
        absent(MEMORY_TRAFFIC, _CONTROLLERS_SOURCE, "neither processor nor kernel shows counters of memory traffic"),
    )


def _refused(source: str, reason: str, *remedies: str) -> Obstacle:
    return Obstacle(metrics=MEMORY_TRAFFIC, state=State.REFUSED, source=source, reason=reason, remedies=remedies)
