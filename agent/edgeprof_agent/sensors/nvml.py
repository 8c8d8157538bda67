"""NVIDIA GPUs, by the driver's management library."""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeprof.device import Accelerator

if TYPE_CHECKING:
    from edgeprof_agent.sensors.sensor import Sensor


def discover(root: Path) -> Sequence["Sensor"]:
    """Return the sensors of each GPU of the device itself that gives values; none without a driver."""
    if not _has_library(root):
        return ()
    from edgeprof_agent.sensors.nvml_discovery import discover_gpus  # noqa: PLC0415  pynvml is 2 MB: only where it is of use

    return discover_gpus(root / "sys/bus/pci/devices")


def accelerators(root: Path) -> tuple[Accelerator, ...]:
    """Describe the GPUs of the device itself."""
    if not _has_library(root):
        return ()
    from edgeprof_agent.sensors.nvml_discovery import describe_gpus  # noqa: PLC0415  pynvml is 2 MB: only where it is of use

    return describe_gpus()


def _has_library(root: Path) -> bool:
    """Tell whether the driver's library is there. It speaks of this machine only, never of a tree elsewhere."""
    if root != Path("/"):
        return False
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:  # no NVIDIA driver
        return False
    return True
