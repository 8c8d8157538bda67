"""Why figures of AMD's and Intel's GPUs may be missing."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.amdgpu import amd_cards
from edgeprof_agent.sensors.diagnosis.access import has_gpu
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State, absent
from edgeprof_agent.sensors.drm_card import DrmCard
from edgeprof_agent.sensors.intel_gpu import intel_cards

AMDGPU = (
    "edgeprof_gpu_busy_ratio",
    "edgeprof_gpu_memory_busy_ratio",
    "edgeprof_gpu_memory_used_bytes",
    "edgeprof_gpu_memory_total_bytes",
    "edgeprof_gpu_host_memory_used_bytes",
    "edgeprof_gpu_host_memory_total_bytes",
    "edgeprof_gpu_power_watts",
    "edgeprof_power_watts",
    "edgeprof_gpu_energy_joules_total",
    "edgeprof_gpu_temperature_celsius",
    "edgeprof_gpu_clock_hertz",
    "edgeprof_gpu_clock_max_hertz",
    "edgeprof_gpu_throttled_ratio",
    "edgeprof_gpu_pcie_bytes_per_second",
    "edgeprof_memory_bandwidth_bytes_per_second",
    "edgeprof_memory_bandwidth_peak_bytes_per_second",
)
INTEL_GPU = (
    "edgeprof_gpu_clock_hertz",
    "edgeprof_gpu_clock_max_hertz",
    "edgeprof_gpu_energy_joules_total",
    "edgeprof_energy_joules_total",
    "edgeprof_gpu_temperature_celsius",
    "edgeprof_gpu_throttled_ratio",
)
WORKLOAD = (
    "edgeprof_workload_gpu_memory_bytes",
    "edgeprof_workload_gpu_host_memory_bytes",
    "edgeprof_workload_gpu_engine_seconds_total",
)


def amdgpu(root: Path) -> Sequence[Obstacle]:
    """Which files there are depends on the card and the kernel."""
    return _missing(AMDGPU, amd_cards(root), "0x1002", "amdgpu", root)


def intel_gpu(root: Path) -> Sequence[Obstacle]:
    """Integrated GPUs show clocks and little else."""
    return _missing(INTEL_GPU, intel_cards(root), "0x8086", "xe", root)


def workload(root: Path) -> Sequence[Obstacle]:
    """The kernel tells what a process has open once it has opened it."""
    reason = "it is read while a workload uses the GPU"
    if not (*amd_cards(root), *intel_cards(root)):
        reason = "there is no GPU of AMD's or Intel's with its driver"
    return (absent(WORKLOAD, "/proc/PID/fdinfo", reason),)


def _missing(
    metrics: tuple[str, ...], cards: Sequence[DrmCard], vendor: str, driver: str, root: Path
) -> Sequence[Obstacle]:
    if cards:
        return (absent(metrics, "/sys/class/drm/card*/device", "this GPU, or its driver, does not show it"),)
    if not has_gpu(root, vendor):
        return (absent(metrics, "/sys/bus/pci/devices", "there is no such GPU on the bus"),)
    return (
        Obstacle(
            metrics=metrics,
            state=State.REFUSED,
            source="/sys/class/drm",
            reason="there is such a GPU, and the kernel's driver for it is not loaded",
            remedies=(f"sudo modprobe {driver}",),
        ),
    )
