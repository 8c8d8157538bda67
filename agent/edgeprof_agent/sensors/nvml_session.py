"""NVML's start and end, and handles that survive both."""

import logging
from pathlib import Path
from typing import Any

import pynvml

from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.sensor import SensorLostError

_LOG = logging.getLogger(__name__)

Handle = Any  # of pynvml, which has no types

# Answers that mean that the driver or the GPU behind a handle is gone, not that a call is unsupported.
_LOST = (
    pynvml.NVML_ERROR_UNINITIALIZED,
    pynvml.NVML_ERROR_INVALID_ARGUMENT,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
    pynvml.NVML_ERROR_GPU_IS_LOST,
    pynvml.NVML_ERROR_RESET_REQUIRED,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
)


class NvmlSession:
    """NVML between its start and its end. All GPUs share one; a new one makes new handles."""

    def __init__(self) -> None:
        self.generation = 0
        self._is_open = False

    def open(self) -> None:
        """Start NVML if it is not running.

        Raises:
            NVMLError: it cannot speak to the driver.
        """
        if not self._is_open:
            pynvml.nvmlInit()
            self._is_open = True
            self.generation += 1

    def close(self) -> None:
        """End NVML if it is running."""
        if self._is_open:
            self._is_open = False
            try:
                pynvml.nvmlShutdown()
            except pynvml.NVMLError as error:  # the driver went first; what it held went with it
                _LOG.debug("NVML did not shut down: %s", error)


class NvmlDevice:
    """One GPU or MIG instance, found again by its UUID after it or its driver went away.

    ``runtime_status`` is the kernel's file that tells whether the GPU sleeps, if there is one.
    """

    def __init__(self, session: NvmlSession, uuid: str, runtime_status: Path | None) -> None:
        self._session = session
        self._uuid = uuid
        self._runtime_status = None if runtime_status is None else KernelFile(runtime_status)
        self._generation = 0
        self._handle: Handle = None

    def is_asleep(self) -> bool:
        """Tell whether the kernel has powered the GPU down, as laptops do. A call of NVML would wake it."""
        if self._runtime_status is None:
            return False
        try:
            return self._runtime_status.read(32).startswith(b"suspended")
        except OSError:  # the GPU is gone: NVML will say so
            return False

    def handle(self) -> Handle:
        """Return the handle; another one each time that NVML was started again.

        Raises:
            SensorLostError: the GPU or its driver is gone.
        """
        try:
            self._session.open()
            if self._generation != self._session.generation:
                self._handle = pynvml.nvmlDeviceGetHandleByUUID(self._uuid)
                self._generation = self._session.generation
        except pynvml.NVMLError as error:
            raise self.lost(error) from error
        return self._handle

    def lost(self, error: object) -> SensorLostError:
        """End NVML, so that the next sample looks for the GPU anew, and return what to raise."""
        self._session.close()
        return SensorLostError(f"the GPU is gone: {error}")

    def close(self) -> None:
        """End NVML."""
        if self._runtime_status is not None:
            self._runtime_status.close()
        self._session.close()


def means_lost(error: pynvml.NVMLError) -> bool:
    """Tell whether the GPU or its driver is gone, rather than one call not being answered."""
    return error.value in _LOST
