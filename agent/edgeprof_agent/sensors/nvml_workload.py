"""Device memory of the workload's processes."""

from collections.abc import Callable, Sequence
from typing import Any

import psutil
import pynvml

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.nvml_gpu import WORKER
from edgeprof_agent.sensors.nvml_session import Handle, NvmlDevice, means_lost

# Vulkan's processes are in the second list alone.
_LISTS = ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3")


def lists_processes(handle: Handle) -> bool:
    """Tell whether NVML lists the GPU's processes, even if there are none now."""
    try:
        pynvml.nvmlDeviceGetComputeRunningProcesses_v3(handle)
    except pynvml.NVMLError:  # not on this GPU or driver
        return False
    return True


class NvmlWorkload:
    """The lists of processes, which take milliseconds each: asked only while there is a workload.

    NVML numbers processes as the host does. In a container whose own numbers differ, the workload is not found, and
    there is no reading.
    """

    worker = WORKER
    tier = Tier.SLOW

    def __init__(self, gpu: str, device: NvmlDevice) -> None:
        self.name = f"nvml_{gpu}_workload"
        self._device = device
        self._pid: int | None = None
        self._channels = {name: channel("edgeprof_workload_gpu_memory_bytes", name, gpu=gpu) for name in _LISTS}

    def follow(self, pid: int | None) -> None:
        """Read this process and its descendants from now on."""
        self._pid = pid

    def sample(self) -> Sequence[Reading]:
        """Return the workload's memory, if it has any on this GPU."""
        if self._pid is None or self._device.is_asleep():
            return ()
        handle = self._device.handle()
        for name in _LISTS:
            try:
                processes = getattr(pynvml, name)(handle)
            except pynvml.NVMLError as error:
                if means_lost(error):
                    raise self._device.lost(error) from error
                continue  # this list alone cannot be had
            used_bytes = workload_memory_bytes(self._pid, processes, ancestors)
            if used_bytes is not None:
                return (Reading(self._channels[name], used_bytes),)
        return ()

    def close(self) -> None:
        """End NVML."""
        self._device.close()


def workload_memory_bytes(
    workload_pid: int, processes: Sequence[Any], ancestors_of: Callable[[int], set[int]]
) -> int | None:
    """Add up the memory of the processes that are the workload or descend from it.

    ``None`` if there are none, or if NVML does not know the memory of one, as under WSL.
    """
    used = [
        process.usedGpuMemory
        for process in processes
        if process.pid == workload_pid or workload_pid in ancestors_of(process.pid)
    ]
    return sum(used) if used and None not in used else None


def ancestors(pid: int) -> set[int]:
    """Return the process's parent and its parents; none if it has ended or belongs to another container."""
    try:
        return {parent.pid for parent in psutil.Process(pid).parents()}
    except psutil.Error:
        return set()
