"""Why figures of NVIDIA GPUs may be missing."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.diagnosis.access import has_gpu
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State, absent
from edgeprof_agent.sensors.kernel_file import read_text

NVML = (
    "edgeprof_gpu_busy_ratio",
    "edgeprof_gpu_memory_busy_ratio",
    "edgeprof_gpu_memory_used_bytes",
    "edgeprof_gpu_memory_total_bytes",
    "edgeprof_workload_gpu_memory_bytes",
    "edgeprof_gpu_power_watts",
    "edgeprof_gpu_memory_power_watts",
    "edgeprof_gpu_module_power_watts",
    "edgeprof_gpu_energy_joules_total",
    "edgeprof_gpu_temperature_celsius",
    "edgeprof_gpu_temperature_margin_celsius",
    "edgeprof_gpu_clock_hertz",
    "edgeprof_gpu_clock_max_hertz",
    "edgeprof_gpu_throttled_ratio",
    "edgeprof_gpu_throttled_seconds_total",
    "edgeprof_gpu_pcie_received_bytes_total",
    "edgeprof_gpu_pcie_transmitted_bytes_total",
    "edgeprof_memory_bandwidth_bytes_per_second",
    "edgeprof_memory_bandwidth_peak_bytes_per_second",
)

_NVIDIA = "0x10de"
_LIBRARY = "libnvidia-ml.so.1"
# By what os-release(5) calls the system or the one that it is made from.
_INSTALL = {
    "ubuntu": ("sudo ubuntu-drivers install", "sudo reboot"),
    "debian": ("sudo apt install nvidia-driver  # from non-free", "sudo reboot"),
    "fedora": ("sudo dnf install akmod-nvidia  # from RPM Fusion", "sudo reboot"),
    "arch": ("sudo pacman -S nvidia", "sudo reboot"),
}


def nvml(root: Path) -> Sequence[Obstacle]:
    """From the bus to the driver to what it answers."""
    if (root / "proc/driver/nvidia/version").exists():
        return (absent(NVML, "NVML", "this GPU or its driver does not tell"),)
    if not has_gpu(root, _NVIDIA):
        return (absent(NVML, "/sys/bus/pci/devices", "there is no NVIDIA GPU on the bus"),)
    reason = "there is an NVIDIA GPU and no driver of NVIDIA's"
    remedies = _install_commands(root)
    if not remedies:
        return (absent(NVML, _LIBRARY, f"{reason}; its maker tells how to install one on this system"),)
    return (Obstacle(metrics=NVML, state=State.REFUSED, source=_LIBRARY, reason=reason, remedies=remedies),)


def driver_problem(problem: str) -> Obstacle:
    """What to do about what the library says when it cannot speak to the driver."""
    remedies: tuple[str, ...] = ("sudo modprobe nvidia", "nvidia-smi  # says whether the driver answers")
    text = problem.lower()
    if "mismatch" in text:
        remedies = ("sudo reboot  # the driver was updated while it ran",)
    elif "permission" in text:
        remedies = ('sudo usermod -aG video,render "$USER"  # then log in again',)
    return Obstacle(metrics=NVML, state=State.REFUSED, source="NVML", reason=problem, remedies=remedies)


def _install_commands(root: Path) -> tuple[str, ...]:
    release = read_text(root / "etc/os-release") or ""
    names = [
        name
        for line in release.splitlines()
        if line.startswith(("ID=", "ID_LIKE="))
        for name in line.partition("=")[2].strip("\"'").split()
    ]
    return next((_INSTALL[name] for name in names if name in _INSTALL), ())
