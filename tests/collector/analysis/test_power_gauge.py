"""Joules by integrating power, against powers whose integral is known."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edgeprof.catalogue import channel
from edgeprof.telemetry import Channel
from edgeprof_collector.analysis.energy_meters import EnergyMeter, energy_meters
from edgeprof_collector.analysis.power_gauge import PowerGauge, power_gauge
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.verdict import EnergyMethod

from .sample_run import DEVICE

SECOND_NS = 1_000_000_000
RAIL = channel("edgeprof_power_watts", "in1_input", chip="ina3221", rail="VDD_IN")


def gauge_series(watts: Callable[[float], float], seconds: np.ndarray, key: Channel = RAIL) -> Series:
    times = np.round(seconds * SECOND_NS).astype(np.int64)
    return Series(channel=key, times_monotonic_ns=times, values=np.array([watts(second) for second in seconds]))


def gauge(watts: Callable[[float], float], seconds: np.ndarray, key: Channel = RAIL) -> PowerGauge:
    found = power_gauge(gauge_series(watts, seconds, key), "VDD_IN")
    assert found is not None
    return found


def joules(meter: EnergyMeter, start: float, end: float) -> float | None:
    return meter.joules(round(start * SECOND_NS), round(end * SECOND_NS))


def test_a_ramp_is_integrated_exactly_between_samples_and_at_the_ends() -> None:
    uneven = np.arange(0, 10, 0.1) + np.random.default_rng(7).uniform(0, 0.09, 100)
    ramp = gauge(lambda second: 5 + 2 * second, uneven)
    assert joules(ramp, 2.345, 7.891) == pytest.approx(5 * 5.546 + (7.891**2 - 2.345**2), rel=1e-6)


def test_a_window_between_two_samples_takes_the_power_between_them() -> None:
    ramp = gauge(lambda second: 10 * second, np.arange(0, 10, 1.0))
    assert joules(ramp, 3.25, 3.75) == pytest.approx(10 * 3.5 * 0.5)


def test_a_steady_stretch_is_not_bridged_by_its_ends() -> None:
    """Only changes would make a ramp of ten watts that stayed, and then became twenty."""
    step = gauge(lambda second: 20 if second >= 5 else 10 + (second < 0.35) * second, np.arange(0, 10, 0.1))
    assert joules(step, 1, 4.5) == pytest.approx(35)


def test_a_source_that_is_read_more_often_than_it_refreshes_is_as_slow_as_it_is() -> None:
    held = gauge(lambda second: 10 + int(second) % 3, np.arange(0, 30, 0.1))
    assert held.refresh_seconds == pytest.approx(1.0, abs=0.11)


def test_an_average_is_as_slow_as_the_time_that_it_covers() -> None:
    average = channel("edgeprof_gpu_power_watts", "power1_average", gpu="amd0", window="average")
    assert gauge(lambda second: second, np.arange(0, 10, 0.1), average).refresh_seconds == 1.0


def test_missing_samples_leave_no_number() -> None:
    seconds = np.concatenate([np.arange(0, 4, 0.1), np.arange(6, 10, 0.1)])
    torn = gauge(lambda second: 10 + second, seconds)
    assert joules(torn, 1, 3) == pytest.approx(24)
    assert joules(torn, 3, 7) is None
    assert joules(torn, 3, 5) is None
    assert joules(torn, -1, 3) is None


def test_a_power_that_never_changes_is_no_measurement() -> None:
    assert power_gauge(gauge_series(lambda _: 7.5, np.arange(0, 10, 0.1)), "VDD_IN") is None


def meters(*series: Series, on_battery: bool = False) -> list[tuple[str, EnergyMethod]]:
    device = replace(DEVICE, power_source="battery" if on_battery else "mains")
    return [(each.scope, each.method) for each in energy_meters(series, device)]


def wavy(second: float) -> float:
    return 20 + math.sin(second)


TIMES = np.arange(0, 10, 0.1)


def test_a_counter_of_the_same_gpu_is_preferred() -> None:
    power = gauge_series(wavy, TIMES, channel("edgeprof_gpu_power_watts", "nvml", gpu="gpu0", window="instant"))
    counter = gauge_series(
        lambda second: 20 * second, TIMES, channel("edgeprof_gpu_energy_joules_total", "nvml", gpu="gpu0")
    )
    assert meters(power, counter) == [("gpu0", EnergyMethod.COUNTER)]
    assert meters(power) == [("gpu0", EnergyMethod.INTEGRATED)]
    stopped = gauge_series(lambda _: 5.0, TIMES, counter.channel)
    assert meters(power, stopped) == [("gpu0", EnergyMethod.INTEGRATED)]


def test_the_momentary_power_of_a_gpu_is_preferred_to_its_average() -> None:
    powers = [
        gauge_series(wavy, TIMES, channel("edgeprof_gpu_power_watts", "nvml", gpu="gpu0", window=window))
        for window in ("average", "instant")
    ]
    [found] = energy_meters(powers, DEVICE)
    assert ("window", "instant") in found.series.channel.labels


def test_a_total_that_is_one_rail_is_not_counted_twice_and_a_sum_names_its_rails() -> None:
    rails = [
        gauge_series(wavy, TIMES, channel("edgeprof_power_watts", "in", chip="ina3221", rail=rail))
        for rail in ("VDD_IN", "VDD_SOC")
    ]
    total = gauge_series(wavy, TIMES, channel("edgeprof_power_total_watts", "in", rails="VDD_IN"))
    assert [scope for scope, _ in meters(*rails, total)] == ["VDD_IN", "ina3221 VDD_SOC"]
    both = gauge_series(wavy, TIMES, channel("edgeprof_power_total_watts", "in", rails="VDD_GPU+VDD_CPU"))
    assert meters(both)[0][0] == "sum of VDD_GPU, VDD_CPU"


def test_a_battery_tells_the_devices_power_only_while_it_feeds_it() -> None:
    battery = gauge_series(wavy, TIMES, channel("edgeprof_power_watts", "power1_input", chip="BAT0", rail="power1"))
    assert meters(battery) == []
    assert [scope for scope, _ in meters(battery, on_battery=True)] == ["BAT0 power1"]
