"""What is asked of one NVIDIA GPU: each query is one call of NVML and the readings that it gives."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import pynvml

from edgeprof.catalogue import channel
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.celsius import celsius
from edgeprof_agent.sensors.nvml_fields import (
    Field,
    answered_fields,
    fast_fields,
    field_readings,
    power_fields,
    slow_fields,
)
from edgeprof_agent.sensors.nvml_memory import computed_peak, memory_info
from edgeprof_agent.sensors.nvml_session import Handle
from edgeprof_agent.sensors.nvml_throttle import throttle_reasons

Query = Callable[[Handle], Sequence[Reading]]

_CLOCKS = (("sm", pynvml.NVML_CLOCK_SM), ("memory", pynvml.NVML_CLOCK_MEM))


def fast_queries(gpu: str, handle: Handle) -> tuple[Query, ...]:
    """Return the queries for every tick that this GPU answers now. Each takes microseconds."""
    reasons = (
        _throttle(gpu, name)
        for name in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
    )
    temperatures = (_temperature(gpu), _temperature_of_old_drivers(gpu))
    return (
        *_answered([_utilisation(gpu), _memory_used(gpu), *_clocks(gpu)], handle),
        *_fields(fast_fields(gpu), handle),
        *_power_without_field(gpu, handle, "instant"),
        *_answered(reasons, handle)[:1],
        *_answered(temperatures, handle)[:1],
    )


def slow_queries(gpu: str, handle: Handle, driver_major: int) -> tuple[Query, ...]:
    """Return the queries for what is dear or hardly changes that this GPU answers now."""
    return (
        *_answered([_memory_total(gpu), *_max_clocks(gpu), _temperature_margin(gpu)], handle),
        *_fields(slow_fields(gpu, driver_major), handle),
        *_power_without_field(gpu, handle, "average"),
        *_peak(gpu, handle),
    )


def instance_queries(instance: str, handle: Handle) -> tuple[tuple[Query, ...], tuple[Query, ...]]:
    """Return the queries for every tick, and the others, of a MIG instance: memory is all that it has for itself."""
    return tuple(_answered([_memory_used(instance)], handle)), tuple(_answered([_memory_total(instance)], handle))


def _answered(queries: Iterable[Query], handle: Handle) -> list[Query]:
    return [query for query in queries if _try(query, handle)]


def _try(query: Query, handle: Handle) -> Sequence[Reading]:
    try:
        return query(handle)
    except pynvml.NVMLError:  # this GPU or driver does not support the call, or not for us
        return ()


def _fields(fields: Sequence[Field], handle: Handle) -> tuple[Query, ...]:
    """Return one query for those of the fields that are answered."""
    known = _known(fields, handle)
    return (partial(field_readings, known),) if known else ()


def _known(fields: Sequence[Field], handle: Handle) -> Sequence[Field]:
    try:
        return answered_fields(fields, handle)
    except pynvml.NVMLError:  # no batched call on this GPU or driver
        return ()


def _utilisation(gpu: str) -> Query:
    busy = channel("edgeprof_gpu_busy_ratio", "nvmlDeviceGetUtilizationRates", gpu=gpu)
    memory_busy = channel("edgeprof_gpu_memory_busy_ratio", "nvmlDeviceGetUtilizationRates", gpu=gpu)

    def query(handle: Handle) -> Sequence[Reading]:
        rates = pynvml.nvmlDeviceGetUtilizationRates(handle)
        return (Reading(busy, rates.gpu / 100), Reading(memory_busy, rates.memory / 100))

    return query


def _memory_used(gpu: str) -> Query:
    used = channel("edgeprof_gpu_memory_used_bytes", "nvmlDeviceGetMemoryInfo_v2", gpu=gpu)
    return lambda handle: (Reading(used, memory_info(handle).used),)


def _memory_total(gpu: str) -> Query:
    total = channel("edgeprof_gpu_memory_total_bytes", "nvmlDeviceGetMemoryInfo_v2", gpu=gpu)
    return lambda handle: (Reading(total, memory_info(handle).total),)


def _peak(gpu: str, handle: Handle) -> tuple[Query, ...]:
    """The peak is read once: only a new driver changes it."""
    bytes_per_second = computed_peak(handle)
    if bytes_per_second is None:
        return ()
    metric = "edgeprof_memory_bandwidth_peak_bytes_per_second"
    reading = Reading(channel(metric, "nvmlDeviceGetMemoryBusWidth", memory=gpu, source="computed"), bytes_per_second)
    return (lambda _: (reading,),)


def _power_without_field(gpu: str, handle: Handle, window: str) -> list[Query]:
    """Power on drivers without its fields, if it is of this window."""
    if _known(power_fields(gpu), handle) or _window_of_power_usage(handle) != window:
        return []
    power = channel("edgeprof_gpu_power_watts", "nvmlDeviceGetPowerUsage", gpu=gpu, window=window)
    return _answered([lambda handle: (Reading(power, pynvml.nvmlDeviceGetPowerUsage(handle) / 1000),)], handle)


def _window_of_power_usage(handle: Handle) -> str | None:
    """A mean over 1 s since Ampere, but for the GA100, before it instant; ``None`` for a GPU of unknown kind."""
    try:
        return "average" if pynvml.nvmlDeviceGetCudaComputeCapability(handle) > (8, 0) else "instant"
    except pynvml.NVMLError:  # it does not tell, so its power would have no meaning
        return None


def _temperature(gpu: str) -> Query:
    core = channel("edgeprof_gpu_temperature_celsius", "nvmlDeviceGetTemperatureV", gpu=gpu, place="core")
    return lambda handle: _core(core, pynvml.nvmlDeviceGetTemperatureV(handle, pynvml.NVML_TEMPERATURE_GPU))


def _temperature_of_old_drivers(gpu: str) -> Query:
    core = channel("edgeprof_gpu_temperature_celsius", "nvmlDeviceGetTemperature", gpu=gpu, place="core")
    return lambda handle: _core(core, pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))


def _core(core: Channel, raw_celsius: int) -> Sequence[Reading]:
    value = celsius(raw_celsius * 1000)
    return () if value is None else (Reading(core, value),)


def _temperature_margin(gpu: str) -> Query:
    margin = channel("edgeprof_gpu_temperature_margin_celsius", "nvmlDeviceGetMarginTemperature", gpu=gpu)
    return lambda handle: (Reading(margin, pynvml.nvmlDeviceGetMarginTemperature(handle)),)


def _clocks(gpu: str) -> list[Query]:
    return [
        _clock(channel("edgeprof_gpu_clock_hertz", "nvmlDeviceGetClockInfo", gpu=gpu, domain=domain), number)
        for domain, number in _CLOCKS
    ]


def _clock(clock: Channel, number: int) -> Query:
    return lambda handle: (Reading(clock, pynvml.nvmlDeviceGetClockInfo(handle, number) * 1e6),)


def _max_clocks(gpu: str) -> list[Query]:
    return [
        _max_clock(channel("edgeprof_gpu_clock_max_hertz", "nvmlDeviceGetMaxClockInfo", gpu=gpu, domain=domain), number)
        for domain, number in _CLOCKS
    ]


def _max_clock(clock: Channel, number: int) -> Query:
    return lambda handle: (Reading(clock, pynvml.nvmlDeviceGetMaxClockInfo(handle, number) * 1e6),)


def _throttle(gpu: str, call: str) -> Query:
    reasons = {
        reason: channel("edgeprof_gpu_throttled_ratio", call, gpu=gpu, reason=reason) for reason in throttle_reasons(0)
    }

    def query(handle: Handle) -> Sequence[Reading]:
        active = throttle_reasons(getattr(pynvml, call)(handle))
        return [Reading(reasons[reason], float(is_active)) for reason, is_active in active.items()]

    return query
