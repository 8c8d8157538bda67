"""What the programs that report on a Jetson (tegrastats, jetson-stats) tell at one moment, and the readings of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from edgeprof.catalogue import channel
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.celsius import celsius
from edgeprof_agent.sensors.jetson_emc import MEMORY, bandwidth_channel
from edgeprof_agent.sensors.jetson_gpu import GPU
from edgeprof_agent.sensors.jetson_module import Module
from edgeprof_agent.sensors.jetson_rails import names_in_total, rail_watts

# This sensor's 100 or 50 degrees are fixed by its driver, which only serves an alarm.
_NO_SENSOR = ("PMIC",)
_HIGHEST_HERTZ = 1e10


class Group(Enum):
    """Kinds of values that come from one place or another."""

    POWER = "power"
    TEMPERATURE = "temperature"
    GPU = "gpu"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class JetsonValues:
    """Values in base units as a program gave them, not yet judged. GPU clocks are by domain."""

    rails_watts: Mapping[str, float] = field(default_factory=dict)
    temperatures_celsius: Mapping[str, float] = field(default_factory=dict)
    gpu_busy_ratio: float | None = None
    gpu_clocks_hertz: Mapping[str, float] = field(default_factory=dict)
    memory_busy_ratio: float | None = None
    memory_clock_hertz: float | None = None


def readings_of(
    values: JetsonValues, groups: frozenset[Group], module: Module | None, program: str, source: str
) -> Sequence[Reading]:
    """Return the readings of these groups, without values that cannot be true."""
    readings: list[Reading] = []
    if Group.POWER in groups:
        readings += _power(values, program, source)
    if Group.TEMPERATURE in groups:
        readings += _temperatures(values, program, source)
    if Group.GPU in groups:
        readings += _gpu(values, source)
    if Group.MEMORY in groups:
        readings += _memory(values, module, source)
    return readings


def _power(values: JetsonValues, program: str, source: str) -> Iterator[Reading]:
    rails = {rail: watts for rail, raw in values.rails_watts.items() if (watts := rail_watts(raw)) is not None}
    for rail, watts in rails.items():
        yield Reading(channel("edgeprof_power_watts", source, chip=program, rail=rail), watts)
    names = names_in_total(tuple(values.rails_watts))
    if names and all(name in rails for name in names):
        total = channel("edgeprof_power_total_watts", source, rails="+".join(names))
        yield Reading(total, sum(rails[name] for name in names))


def _temperatures(values: JetsonValues, program: str, source: str) -> Iterator[Reading]:
    for place, raw in values.temperatures_celsius.items():
        value = None if place in _NO_SENSOR else celsius(round(raw * 1000))
        if value is not None:
            yield Reading(channel("edgeprof_temperature_celsius", source, chip=program, place=place), value)


def _gpu(values: JetsonValues, source: str) -> Iterator[Reading]:
    if values.gpu_busy_ratio is not None and values.gpu_busy_ratio <= 1:
        yield Reading(channel("edgeprof_gpu_busy_ratio", source, gpu=GPU), values.gpu_busy_ratio)
    for domain, hertz in values.gpu_clocks_hertz.items():
        if _is_clock(hertz):
            yield Reading(channel("edgeprof_gpu_clock_hertz", source, gpu=GPU, domain=domain), hertz)


def _memory(values: JetsonValues, module: Module | None, source: str) -> Iterator[Reading]:
    clock_hertz = values.memory_clock_hertz
    if clock_hertz is not None and not _is_clock(clock_hertz):
        clock_hertz = None
    if clock_hertz is not None:
        yield Reading(channel("edgeprof_memory_clock_hertz", source, memory=MEMORY), clock_hertz)
    busy_ratio = values.memory_busy_ratio
    if busy_ratio is not None and busy_ratio <= 1:
        yield Reading(channel("edgeprof_memory_busy_ratio", source, memory=MEMORY), busy_ratio)
        if clock_hertz is not None and module is not None:
            yield Reading(bandwidth_channel(source), module.bandwidth(busy_ratio * clock_hertz))


def _is_clock(hertz: float) -> bool:
    """Tell a clock from 0, which stands for one that is switched off."""
    return 1e6 <= hertz <= _HIGHEST_HERTZ
