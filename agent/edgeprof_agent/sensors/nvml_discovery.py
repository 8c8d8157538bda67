"""The NVIDIA GPUs of this device, and the sensors that each has."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pynvml

from edgeprof.device import Accelerator
from edgeprof.metric import Tier
from edgeprof_agent.sensors.nvml_bandwidth import NvmlBandwidth, has_counters
from edgeprof_agent.sensors.nvml_gpu import NvmlGpu
from edgeprof_agent.sensors.nvml_memory import computed_peak, memory_bus_bits, memory_clock_max_hertz, memory_info
from edgeprof_agent.sensors.nvml_queries import Query, fast_queries, instance_queries, slow_queries
from edgeprof_agent.sensors.nvml_session import Handle, NvmlDevice, NvmlSession
from edgeprof_agent.sensors.nvml_workload import NvmlWorkload, lists_processes
from edgeprof_agent.sensors.sensor import Sensor

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Gpu:
    """A GPU, ``gpu0``, or an instance of one by MIG, ``gpu0/mig1``, whose memory is counted in its GPU's as well.

    ``bus_id`` is the address of the GPU's slot; ``None`` for one on a chip's own bus.
    """

    name: str
    handle: Handle
    bus_id: str | None
    is_instance: bool = False


def discover_gpus(pci_folder: Path) -> tuple[Sensor, ...]:
    """Return the sensors of each GPU, each with the queries that the GPU answers now. This wakes GPUs that sleep.

    Args:
        pci_folder: where the kernel shows the PCI devices.

    Raises:
        NVMLError: NVML is there and cannot speak to its driver.
    """
    session = NvmlSession()
    session.open()
    driver_major = _major(pynvml.nvmlSystemGetDriverVersion())
    sensors = tuple(
        sensor
        for gpu in _gpus()
        for sensor in _sensors(
            gpu,
            NvmlDevice(session, pynvml.nvmlDeviceGetUUID(gpu.handle), _runtime_status(pci_folder, gpu)),
            driver_major,
        )
    )
    if not sensors:
        session.close()
    return sensors


def describe_gpus() -> tuple[Accelerator, ...]:
    """Describe each GPU. One whose own memory NVML does not know shares the host's."""
    session = NvmlSession()
    try:
        session.open()
        driver_version = pynvml.nvmlSystemGetDriverVersion()
        return tuple(_describe(gpu, driver_version) for gpu in _gpus())
    except pynvml.NVMLError as error:  # a library without its driver: the device is to be described all the same
        _LOG.warning("NVIDIA GPUs are left out of the device's facts: %s", error)
        return ()
    finally:
        session.close()


def _sensors(gpu: _Gpu, device: NvmlDevice, driver_major: int) -> Iterator[Sensor]:
    fast: tuple[Query, ...]
    slow: tuple[Query, ...]
    if gpu.is_instance:
        fast, slow = instance_queries(gpu.name, gpu.handle)
    else:
        fast, slow = fast_queries(gpu.name, gpu.handle), slow_queries(gpu.name, gpu.handle, driver_major)
    if fast:
        yield NvmlGpu(f"nvml_{gpu.name}", Tier.FAST, device, fast)
    if slow:
        yield NvmlGpu(f"nvml_{gpu.name}_slow", Tier.SLOW, device, slow)
    if lists_processes(gpu.handle):
        yield NvmlWorkload(gpu.name, device)
    peak_bytes_per_second = None if gpu.is_instance else computed_peak(gpu.handle)
    if peak_bytes_per_second is not None and has_counters(gpu.handle):
        yield NvmlBandwidth(gpu.name, device, peak_bytes_per_second)


def _describe(gpu: _Gpu, driver_version: str) -> Accelerator:
    memory_total_bytes, unified_memory = None, False
    try:
        memory_total_bytes = memory_info(gpu.handle).total
    except pynvml.NVMLError_NotSupported:
        unified_memory = True
    except pynvml.NVMLError as error:  # an old driver, which has not this version of the call
        _LOG.warning("the memory of %s is not known: %s", gpu.name, error)
    return Accelerator(
        name=gpu.name,
        product=pynvml.nvmlDeviceGetName(gpu.handle),
        vendor="NVIDIA",
        memory_total_bytes=memory_total_bytes,
        driver_version=driver_version,
        unified_memory=unified_memory,
        memory_clock_max_hertz=memory_clock_max_hertz(gpu.handle),
        memory_bus_bits=memory_bus_bits(gpu.handle),
    )


def _gpus() -> Iterator[_Gpu]:
    """Find the GPUs, each followed by its instances."""
    for index in range(pynvml.nvmlDeviceGetCount()):
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        except pynvml.NVMLError as error:  # one lost or forbidden GPU must not hide the others
            _LOG.warning("GPU %d is left out: %s", index, error)
            continue
        gpu = _Gpu(f"gpu{index}", handle, _bus_id(handle))
        yield gpu
        yield from _instances(gpu)


def _instances(gpu: _Gpu) -> Iterator[_Gpu]:
    try:
        current_mode, _ = pynvml.nvmlDeviceGetMigMode(gpu.handle)
        most = pynvml.nvmlDeviceGetMaxMigDeviceCount(gpu.handle) if current_mode == pynvml.NVML_DEVICE_MIG_ENABLE else 0
    except pynvml.NVMLError:  # a GPU or driver without MIG
        return
    for index in range(most):
        try:
            instance = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu.handle, index)
        except pynvml.NVMLError:  # there may be as many, and no such one was made
            continue
        yield _Gpu(f"{gpu.name}/mig{index}", instance, gpu.bus_id, is_instance=True)


def _bus_id(handle: Handle) -> str | None:
    try:
        bus_id: str = pynvml.nvmlDeviceGetPciInfo(handle).busId
    except pynvml.NVMLError:  # not a PCI device
        return None
    return bus_id


def _runtime_status(pci_folder: Path, gpu: _Gpu) -> Path | None:
    """The file of the GPU's power management. NVML writes its bus address in capitals, with a domain of 8 digits."""
    path = pci_folder / (gpu.bus_id or "").lower()[4:] / "power/runtime_status"
    return path if gpu.bus_id and path.exists() else None


def _major(driver_version: str) -> int:
    """Return 595 of ``595.71.05``; 0 for a version of another form."""
    first = driver_version.partition(".")[0]
    return int(first) if first.isdecimal() else 0
