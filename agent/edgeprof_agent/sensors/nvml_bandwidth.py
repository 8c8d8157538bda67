"""Bandwidth of a GPU's memory by its performance counters (GPM)."""

import logging
from collections.abc import Sequence
from typing import Any

import pynvml

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.nvml_gpu import WORKER
from edgeprof_agent.sensors.nvml_session import Handle, NvmlDevice, means_lost
from edgeprof_agent.sensors.sensor import SensorLostError

_LOG = logging.getLogger(__name__)


def has_counters(handle: Handle) -> bool:
    """Tell whether the counters can be sampled: since Hopper, on GeForce since the RTX 50, not beside another user."""
    try:
        if not pynvml.nvmlGpmQueryDeviceSupport(handle).isSupportedDevice:
            return False
        _free(_take_sample(handle))
    except pynvml.NVMLError:  # this GPU or driver has none, or another program holds them
        return False
    return True


class NvmlBandwidth:
    """The share of the peak that was moved between one sample and the next, times the peak."""

    worker = WORKER
    tier = Tier.SLOW

    def __init__(self, gpu: str, device: NvmlDevice, peak_bytes_per_second: float) -> None:
        self.name = f"nvml_{gpu}_bandwidth"
        self._device = device
        self._peak_bytes_per_second = peak_bytes_per_second
        self._channel = channel(
            "edgeprof_memory_bandwidth_bytes_per_second",
            "nvmlGpmMetricsGet",
            memory=gpu,
            direction="both",
            source="hardware_counter",
        )
        self._handle: Handle = None
        self._before: Any = None
        self._request = pynvml.c_nvmlGpmMetricsGet_t()  # 19 KB: made once

    def sample(self) -> Sequence[Reading]:
        """Return the bandwidth since the sample before; nothing at the first one, also after the driver was away."""
        if self._device.is_asleep():
            return ()
        handle = self._device.handle()
        if handle is not self._handle:
            self._forget()
            self._handle = handle
        try:
            percent = self._percent_since_last(handle)
        except pynvml.NVMLError as error:
            if means_lost(error):
                raise self._device.lost(error) from error
            raise SensorLostError(f"the counters give no memory traffic: {error}") from error
        return () if percent is None else (Reading(self._channel, percent / 100 * self._peak_bytes_per_second),)

    def close(self) -> None:
        """Free the sample and end NVML."""
        self._forget()
        self._device.close()

    def _percent_since_last(self, handle: Handle) -> float | None:
        before, self._before = self._before, _take_sample(handle)
        if before is None:
            return None
        request = self._request
        request.version = pynvml.NVML_GPM_METRICS_GET_VERSION
        request.numMetrics = 1
        request.sample1, request.sample2 = before, self._before
        request.metrics[0].metricId = pynvml.NVML_GPM_METRIC_DRAM_BW_UTIL
        try:
            pynvml.nvmlGpmMetricsGet(request)
        finally:
            _free(before)
        metric = request.metrics[0]
        if metric.nvmlReturn != pynvml.NVML_SUCCESS:
            raise pynvml.NVMLError(metric.nvmlReturn)
        percent: float = metric.value
        return percent

    def _forget(self) -> None:
        if self._before is not None:
            _free(self._before)
            self._before = None


def _take_sample(handle: Handle) -> Any:
    sample = pynvml.nvmlGpmSampleAlloc()
    try:
        return pynvml.nvmlGpmSampleGet(handle, sample)
    except pynvml.NVMLError:
        _free(sample)
        raise


def _free(sample: Any) -> None:
    try:
        pynvml.nvmlGpmSampleFree(sample)
    except pynvml.NVMLError as error:  # NVML ended first, and took the sample with it
        _LOG.debug("a sample was not freed: %s", error)
