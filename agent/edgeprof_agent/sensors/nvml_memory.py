"""What NVML knows of a GPU's memory."""

from typing import Any

import pynvml

from edgeprof_agent.sensors.nvml_peak import computed_peak_bytes_per_second
from edgeprof_agent.sensors.nvml_session import Handle


def memory_info(handle: Handle) -> Any:
    """Return total, used and reserved bytes. The first version of the call counts the reserve as used."""
    return pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)


def memory_clock_max_hertz(handle: Handle) -> int | None:
    """Return the highest clock; ``None`` where NVML does not know it, as of memory shared with the host."""
    try:
        return int(pynvml.nvmlDeviceGetMaxClockInfo(handle, pynvml.NVML_CLOCK_MEM)) * 1_000_000 or None
    except pynvml.NVMLError:  # not of this GPU
        return None


def memory_bus_bits(handle: Handle) -> int | None:
    """Return the width of the bus; ``None`` where NVML does not know it."""
    try:
        return int(pynvml.nvmlDeviceGetMemoryBusWidth(handle)) or None
    except pynvml.NVMLError:  # not of this GPU, or an old driver
        return None


def computed_peak(handle: Handle) -> float | None:
    """Return the peak bandwidth in bytes per second; ``None`` where the clock or the width is not known."""
    clock_hertz, bus_bits = memory_clock_max_hertz(handle), memory_bus_bits(handle)
    if clock_hertz is None or bus_bits is None:
        return None
    return computed_peak_bytes_per_second(clock_hertz, bus_bits)
