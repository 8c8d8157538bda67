"""What is read in one batched call: each field says by itself whether it has a value."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import pynvml

from edgeprof.catalogue import channel
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.celsius import celsius
from edgeprof_agent.sensors.nvml_session import Handle

_SOURCE = "nvmlDeviceGetFieldValues"

_SMALL_TYPES = {
    pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_INT: "siVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_SHORT: "usVal",
}
_WIDE_TYPES = {
    pynvml.NVML_VALUE_TYPE_DOUBLE: "dVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
}
_TYPES = {**_SMALL_TYPES, **_WIDE_TYPES}

# Since this driver the fields 269 to 271 are slowdowns. In 575 and early 580 these were 251 to 253, and 269 to 271
# settings of power smoothing (NVML's headers of those versions).
_SLOWDOWNS_SINCE_DRIVER = 590

# The library's scopes of power, and the metrics of each.
_POWERS = {
    pynvml.NVML_POWER_SCOPE_GPU: "edgeprof_gpu_power_watts",
    pynvml.NVML_POWER_SCOPE_MODULE: "edgeprof_gpu_module_power_watts",
    pynvml.NVML_POWER_SCOPE_MEMORY: "edgeprof_gpu_memory_power_watts",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field in a scope, its channel, and how its raw value becomes the metric's unit."""

    number: int
    channel: Channel
    convert: Callable[[float], float | None]
    scope: int = 0
    types: dict[int, str] | None = None  # those accepted; None for all


def fast_fields(gpu: str) -> tuple[Field, ...]:
    """Power now, energy and memory temperature. The call for these takes microseconds."""
    energy = channel("edgeprof_gpu_energy_joules_total", _SOURCE, gpu=gpu)
    temperature = channel("edgeprof_gpu_temperature_celsius", _SOURCE, gpu=gpu, place="memory")
    instant, _ = power_fields(gpu)
    return (
        instant,
        Field(pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION, energy, _thousandths),
        Field(pynvml.NVML_FI_DEV_MEMORY_TEMP, temperature, lambda raw_celsius: celsius(int(raw_celsius * 1000))),
    )


def slow_fields(gpu: str, driver_major: int) -> tuple[Field, ...]:
    """Means over a second, power of the parts, and counters. People have seen these calls take milliseconds."""
    _, average = power_fields(gpu)
    return (
        average,
        *power_fields(gpu, pynvml.NVML_POWER_SCOPE_MODULE),
        *power_fields(gpu, pynvml.NVML_POWER_SCOPE_MEMORY),
        *_throttle_counters(gpu, driver_major),
        _pcie(pynvml.NVML_FI_DEV_PCIE_COUNT_TX_BYTES, "edgeprof_gpu_pcie_transmitted_bytes_total", gpu),
        _pcie(pynvml.NVML_FI_DEV_PCIE_COUNT_RX_BYTES, "edgeprof_gpu_pcie_received_bytes_total", gpu),
    )


def power_fields(gpu: str, scope: int = pynvml.NVML_POWER_SCOPE_GPU) -> tuple[Field, Field]:
    """Power of a scope, instant and average."""
    return (
        _power(gpu, pynvml.NVML_FI_DEV_POWER_INSTANT, scope, "instant"),
        _power(gpu, pynvml.NVML_FI_DEV_POWER_AVERAGE, scope, "average"),
    )


def answered_fields(fields: Sequence[Field], handle: Handle) -> tuple[Field, ...]:
    """Return the fields that this GPU and driver know; asking for the others each time would cost and bring nothing.

    Raises:
        NVMLError: the driver has no batched call, or not for this GPU.
    """
    answers = _ask(fields, handle)
    return tuple(field for field, answer in zip(fields, answers, strict=True) if _raw_value(field, answer) is not None)


def field_readings(fields: Sequence[Field], handle: Handle) -> Sequence[Reading]:
    """Read the fields in one call; those without a value now are left out.

    Raises:
        NVMLError: the call as a whole was not answered.
    """
    return readings_of(fields, _ask(fields, handle))


def readings_of(fields: Sequence[Field], answers: Iterable[Any]) -> list[Reading]:
    """Turn the answers to these fields, ``nvmlFieldValue_t`` in the same order, into readings."""
    readings = []
    for field, answer in zip(fields, answers, strict=True):
        raw = _raw_value(field, answer)
        value = None if raw is None else field.convert(raw)
        if value is not None:
            readings.append(Reading(field.channel, value))
    return readings


def _ask(fields: Sequence[Field], handle: Handle) -> Sequence[Any]:
    answers: Sequence[Any] = pynvml.nvmlDeviceGetFieldValues(handle, [(field.number, field.scope) for field in fields])
    return answers


def _raw_value(field: Field, answer: Any) -> float | None:
    types = _TYPES if field.types is None else field.types
    if answer.nvmlReturn != pynvml.NVML_SUCCESS or answer.valueType not in types:
        return None
    raw: float = getattr(answer.value, types[answer.valueType])
    return raw if isfinite(raw) else None


def _thousandths(raw: float) -> float:
    return raw / 1000


def _power(gpu: str, number: int, scope: int, window: str) -> Field:
    return Field(number, channel(_POWERS[scope], _SOURCE, gpu=gpu, window=window), _thousandths, scope)


def _throttle_counters(gpu: str, driver_major: int) -> list[Field]:
    """Nanoseconds since the driver was loaded, of each limiter by itself."""
    limiters = [
        (pynvml.NVML_FI_DEV_PERF_POLICY_POWER, "power", "software_power_cap"),
        (pynvml.NVML_FI_DEV_PERF_POLICY_THERMAL, "thermal", "thermal_policy"),
    ]
    if driver_major >= _SLOWDOWNS_SINCE_DRIVER:
        limiters += [
            (269, "thermal", "software_slowdown"),
            (270, "thermal", "hardware_slowdown"),
            (271, "power", "hardware_power_brake"),
        ]
    metric = "edgeprof_gpu_throttled_seconds_total"
    return [
        Field(number, channel(metric, _SOURCE, gpu=gpu, reason=reason, limiter=limiter), lambda raw_ns: raw_ns / 1e9)
        for number, reason, limiter in limiters
    ]


def _pcie(number: int, metric: str, gpu: str) -> Field:
    """A counter of bytes, if it is wide: one of 32 bits wraps several times a second on a busy link."""
    return Field(number, channel(metric, _SOURCE, gpu=gpu), float, types=_WIDE_TYPES)
