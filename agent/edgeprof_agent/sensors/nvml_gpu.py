"""Sensors of NVIDIA GPUs."""

import logging
from collections.abc import Iterator, Sequence

import pynvml

from edgeprof.catalogue import Tier
from edgeprof.device import Accelerator
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.nvml_queries import Handle, Query, fast_queries, memory_info, slow_queries
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_LOG = logging.getLogger(__name__)

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


class NvmlGpu:
    """Some queries of one GPU. A GPU or driver that went away is looked for again at the next sample."""

    worker = "nvml"

    def __init__(self, name: str, tier: Tier, session: NvmlSession, uuid: str, queries: Sequence[Query]) -> None:
        self.name = name
        self.tier = tier
        self._session = session
        self._uuid = uuid
        self._queries = queries
        self._generation = 0
        self._handle: Handle = None

    def sample(self) -> Sequence[Reading]:
        """Return the readings of every query that is answered."""
        self._session.open()
        if self._generation != self._session.generation:
            self._handle = pynvml.nvmlDeviceGetHandleByUUID(self._uuid)
            self._generation = self._session.generation
        try:
            readings = [reading for query in self._queries for reading in self._ask(query)]
        except pynvml.NVMLError as error:
            self._session.close()
            raise SensorLostError(f"the GPU is gone: {error}") from error
        if not readings:
            self._session.close()
            raise SensorLostError("the GPU answers no query any more")
        return readings

    def close(self) -> None:
        """End NVML."""
        self._session.close()

    def _ask(self, query: Query) -> Sequence[Reading]:
        try:
            return query(self._handle)
        except pynvml.NVMLError as error:
            if error.value in _LOST:
                raise
            return ()  # this query alone has no answer now


def discover_gpus() -> tuple[Sensor, ...]:
    """Return a fast and a slow sensor for each GPU, each with the queries that the GPU answers now.

    Raises:
        NVMLError: NVML is there and cannot speak to its driver.
    """
    session = NvmlSession()
    session.open()
    sensors: list[Sensor] = []
    for gpu, handle in _gpus():
        uuid = pynvml.nvmlDeviceGetUUID(handle)
        for name, tier, queries in (
            (f"nvml_{gpu}", Tier.FAST, fast_queries(gpu, handle)),
            (f"nvml_{gpu}_totals", Tier.SLOW, slow_queries(gpu, handle)),
        ):
            if queries:
                sensors.append(NvmlGpu(name, tier, session, uuid, queries))
    if not sensors:
        session.close()
    return tuple(sensors)


def describe_gpus() -> tuple[Accelerator, ...]:
    """Describe each GPU. One whose own memory NVML does not know shares the host's."""
    session = NvmlSession()
    try:
        session.open()
        driver_version = pynvml.nvmlSystemGetDriverVersion()
        return tuple(_describe(gpu, handle, driver_version) for gpu, handle in _gpus())
    except pynvml.NVMLError as error:  # a library without its driver: the device is to be described all the same
        _LOG.warning("NVIDIA GPUs are left out of the device's facts: %s", error)
        return ()
    finally:
        session.close()


def _describe(gpu: str, handle: Handle, driver_version: str) -> Accelerator:
    try:
        memory_total_bytes = memory_info(handle).total
    except pynvml.NVMLError_NotSupported:
        memory_total_bytes = None
    return Accelerator(
        name=gpu,
        product=pynvml.nvmlDeviceGetName(handle),
        vendor="NVIDIA",
        memory_total_bytes=memory_total_bytes,
        driver_version=driver_version,
        unified_memory=memory_total_bytes is None,
    )


def _gpus() -> Iterator[tuple[str, Handle]]:
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = _handle(index)
        if handle is not None:
            yield f"gpu{index}", handle


def _handle(index: int) -> Handle | None:
    try:
        return pynvml.nvmlDeviceGetHandleByIndex(index)
    except pynvml.NVMLError as error:  # one lost or forbidden GPU must not hide the others
        _LOG.warning("GPU %d is left out: %s", index, error)
        return None
