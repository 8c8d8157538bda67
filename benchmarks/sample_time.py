"""CPU time of sensors' samples, sensor by sensor."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeprof.metric import Tier
from edgeprof_agent.sensors.sensor import Sensor

SAMPLES_PER_ROUND = 200
_SWEPT_BYTES = 128 << 20  # more than caches hold


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCost:
    """CPU time per sample of one sensor, in microseconds, and how many channels the last sample gave."""

    sensor: str
    tier: Tier
    cpu_us: float
    channels: int


def sample_costs(sensors: Sequence[Sensor], rounds: int) -> list[SampleCost]:
    """Return each sensor's cost: the median of rounds in which all of them take turns."""
    costs_us: list[list[float]] = [[] for _ in sensors]
    for _ in range(rounds):
        for sensor, costs in zip(sensors, costs_us, strict=True):
            costs.append(_sample_time_us(sensor))
    return [
        SampleCost(sensor=sensor.name, tier=sensor.tier, cpu_us=statistics.median(costs), channels=len(sensor.sample()))
        for sensor, costs in zip(sensors, costs_us, strict=True)
    ]


def _sample_time_us(sensor: Sensor) -> float:
    return thread_time_us(lambda _: sensor.sample(), SAMPLES_PER_ROUND)


def thread_time_us(call: Callable[[int], object], times: int) -> float:
    """Return the CPU time of this thread per call, in microseconds."""
    start_ns = time.thread_time_ns()
    for number in range(times):
        call(number)
    return (time.thread_time_ns() - start_ns) / 1000 / times


def swept_thread_time_us(call: Callable[[int], object], times: int) -> float:
    """Return the same where the caches hold something else before each call, as they do between weights."""
    weights = bytearray(_SWEPT_BYTES)
    spent_ns = 0
    for number in range(times):
        weights.find(b"\1")
        start_ns = time.thread_time_ns()
        call(number)
        spent_ns += time.thread_time_ns() - start_ns
    return spent_ns / 1000 / times
