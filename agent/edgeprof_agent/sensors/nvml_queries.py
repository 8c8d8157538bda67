"""What is asked of one NVIDIA GPU: each query is one call of NVML and the readings that it gives."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pynvml

from edgeprof.catalogue import channel
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.celsius import celsius

Handle = Any  # of pynvml, which has no types
Query = Callable[[Handle], Sequence[Reading]]

_CLOCKS = (("sm", pynvml.NVML_CLOCK_SM), ("memory", pynvml.NVML_CLOCK_MEM))

# "HwSlowdown" alone may be heat, a power brake or a fast power excursion, so it counts as other. No bit means current
# and nothing else, so there is no such reason here.
_REASONS = {
    "power": pynvml.nvmlClocksEventReasonSwPowerCap | pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
    "thermal": pynvml.nvmlClocksEventReasonSwThermalSlowdown | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
    "idle": pynvml.nvmlClocksEventReasonGpuIdle,
}
_EXPLAINED_SLOWDOWNS = pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown | pynvml.nvmlClocksEventReasonHwThermalSlowdown

_VALUE_FIELDS = {
    pynvml.NVML_VALUE_TYPE_DOUBLE: "dVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_INT: "siVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_SHORT: "usVal",
}


def fast_queries(gpu: str, handle: Handle) -> tuple[Query, ...]:
    """Return the queries for every tick that this GPU answers now."""
    fields = _fields(gpu)
    answered = _answered([_utilisation(gpu), _memory_used(gpu), fields, _throttle(gpu), *_clocks(gpu)], handle)
    if not any(reading.channel.metric == "edgeprof_gpu_power_watts" for reading in _try(fields, handle)):
        answered += _answered([_power_usage(gpu, handle)], handle)
    answered += _answered([_temperature(gpu)], handle) or _answered([_temperature_of_old_drivers(gpu)], handle)
    return tuple(answered)


def slow_queries(gpu: str, handle: Handle) -> tuple[Query, ...]:
    """Return the queries for what hardly changes that this GPU answers now."""
    return tuple(_answered([_memory_total(gpu), *_max_clocks(gpu)], handle))


def _answered(queries: Iterable[Query], handle: Handle) -> list[Query]:
    return [query for query in queries if _try(query, handle)]


def _try(query: Query, handle: Handle) -> Sequence[Reading]:
    try:
        return query(handle)
    except pynvml.NVMLError:  # this GPU or driver does not support the call, or not for us
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


def memory_info(handle: Handle) -> Any:
    """Return total, used and reserved bytes. The first version of the call counts the reserve as used."""
    return pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)


def _fields(gpu: str) -> Query:
    """Power, energy and memory temperature in one batched call. Each field says by itself whether it has a value."""
    source = "nvmlDeviceGetFieldValues"
    average = channel("edgeprof_gpu_power_watts", source, gpu=gpu, window="average")
    instant = channel("edgeprof_gpu_power_watts", source, gpu=gpu, window="instant")
    energy = channel("edgeprof_gpu_energy_joules_total", source, gpu=gpu)
    temperature = channel("edgeprof_gpu_temperature_celsius", source, gpu=gpu, place="memory")
    fields: dict[int, Callable[[float], Reading | None]] = {
        pynvml.NVML_FI_DEV_POWER_AVERAGE: lambda raw_mw: Reading(average, raw_mw / 1000),
        pynvml.NVML_FI_DEV_POWER_INSTANT: lambda raw_mw: Reading(instant, raw_mw / 1000),
        pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION: lambda raw_mj: Reading(energy, raw_mj / 1000),
        pynvml.NVML_FI_DEV_MEMORY_TEMP: lambda raw_celsius: _temperature_reading(temperature, raw_celsius),
    }

    def query(handle: Handle) -> Sequence[Reading]:
        readings = []
        for field in pynvml.nvmlDeviceGetFieldValues(handle, list(fields)):
            if field.nvmlReturn == pynvml.NVML_SUCCESS:
                value = getattr(field.value, _VALUE_FIELDS[field.valueType])
                if reading := fields[field.fieldId](value):
                    readings.append(reading)
        return readings

    return query


def _power_usage(gpu: str, handle: Handle) -> Query:
    """Power on drivers without the fields: a mean over 1 s since Ampere, but for the GA100, before it instant."""
    capability = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    window = "average" if capability > (8, 0) else "instant"
    power = channel("edgeprof_gpu_power_watts", "nvmlDeviceGetPowerUsage", gpu=gpu, window=window)
    return lambda handle: (Reading(power, pynvml.nvmlDeviceGetPowerUsage(handle) / 1000),)


def _temperature(gpu: str) -> Query:
    core = channel("edgeprof_gpu_temperature_celsius", "nvmlDeviceGetTemperatureV", gpu=gpu, place="core")

    def query(handle: Handle) -> Sequence[Reading]:
        reading = _temperature_reading(core, pynvml.nvmlDeviceGetTemperatureV(handle, pynvml.NVML_TEMPERATURE_GPU))
        return (reading,) if reading else ()

    return query


def _temperature_of_old_drivers(gpu: str) -> Query:
    core = channel("edgeprof_gpu_temperature_celsius", "nvmlDeviceGetTemperature", gpu=gpu, place="core")

    def query(handle: Handle) -> Sequence[Reading]:
        reading = _temperature_reading(core, pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
        return (reading,) if reading else ()

    return query


def _temperature_reading(temperature: Channel, raw_celsius: float) -> Reading | None:
    value = celsius(int(raw_celsius * 1000))
    return None if value is None else Reading(temperature, value)


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


def _throttle(gpu: str) -> Query:
    source = "nvmlDeviceGetCurrentClocksEventReasons"
    reasons = {
        reason: channel("edgeprof_gpu_throttled_ratio", source, gpu=gpu, reason=reason)
        for reason in throttle_reasons(0)
    }

    def query(handle: Handle) -> Sequence[Reading]:
        active = throttle_reasons(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))
        return [Reading(reasons[reason], float(is_active)) for reason, is_active in active.items()]

    return query


def throttle_reasons(mask: int) -> dict[str, bool]:
    """Say for each of edgeprof's reasons whether NVML's mask has it."""
    if mask & _EXPLAINED_SLOWDOWNS:  # HwSlowdown is set beside the bit that explains it
        mask &= ~pynvml.nvmlClocksEventReasonHwSlowdown
    active = {}
    for reason, bits in _REASONS.items():
        active[reason] = bool(mask & bits)
        mask &= ~bits
    return {**active, "other": bool(mask)}
