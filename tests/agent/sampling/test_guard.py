import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from edgeprof.telemetry import Reading
from edgeprof_agent.sampling.guard import GuardedSensor
from tests.agent.sampling.stand_ins import (
    MEMORY,
    POWER,
    SECOND_NS,
    FollowingSensor,
    ScriptedSensor,
    WoundClock,
    constant,
)


class Moody:
    """A sensor's function that fails while it is told to, and counts its calls."""

    def __init__(self) -> None:
        self.fails = True
        self.calls = 0

    def __call__(self) -> Sequence[Reading]:
        self.calls += 1
        if self.fails:
            raise OSError("the bus is stuck")
        return (Reading(POWER, 1.0),)


def guard_of(sample: Callable[[], Any]) -> tuple[GuardedSensor, WoundClock]:
    clock = WoundClock()
    return GuardedSensor(ScriptedSensor(sample), clock), clock


def test_a_sensor_that_is_well() -> None:
    clock = WoundClock()

    def sample() -> Sequence[Reading]:
        clock.advance(0.25)
        return (Reading(POWER, 1.0),)

    guard = GuardedSensor(ScriptedSensor(sample), clock)
    assert guard.duration_ns is None
    assert guard.last_success_ns is None
    assert guard.sample() == guard.latest == (Reading(POWER, 1.0),)
    assert guard.duration_ns == SECOND_NS // 4
    assert guard.last_success_ns == clock.monotonic_ns()
    assert guard.is_up(clock.monotonic_ns())


def test_a_sensor_that_fails_is_tried_again_later_and_later(caplog: pytest.LogCaptureFixture) -> None:
    moody = Moody()
    guard, clock = guard_of(moody)
    waits = []
    with caplog.at_level(logging.INFO):
        for _ in range(9):
            calls, waited = moody.calls, 0
            while moody.calls == calls:
                assert guard.sample() == ()
                waited += moody.calls == calls
                clock.advance(1)
            waits.append(waited)
        assert waits == [0, 0, 1, 3, 7, 15, 31, 59, 59]
        assert not guard.is_up(clock.monotonic_ns())
        moody.fails = False
        clock.advance(60)
        assert guard.sample() == (Reading(POWER, 1.0),)
    assert guard.is_up(clock.monotonic_ns())
    assert [record.getMessage() for record in caplog.records] == [
        "sensor scripted failed and will be tried again: OSError: the bus is stuck",
        "sensor scripted works again",
    ]


def test_a_sensor_that_failed_has_no_latest_readings() -> None:
    moody = Moody()
    moody.fails = False
    guard, _ = guard_of(moody)
    guard.sample()
    moody.fails = True
    guard.sample()
    assert guard.latest == ()


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        7,
        [POWER],
        [(POWER, None)],
        [(POWER, "hot")],
        [Reading(POWER, math.nan)],
        [Reading(MEMORY, 1.0), Reading(POWER, math.inf)],
        [Reading(POWER, -1e300)],
        [("edgeprof_power_watts", 1.0)],
    ],
)
def test_nonsense_is_a_failure(nonsense: object) -> None:
    guard, clock = guard_of(lambda: nonsense)
    assert guard.sample() == ()
    assert not guard.is_up(clock.monotonic_ns())


def test_a_sample_that_takes_long_is_no_longer_up() -> None:
    clock = WoundClock()
    up = []

    def sample() -> Sequence[Reading]:
        for _ in range(4):
            up.append(guard.is_up(clock.monotonic_ns()))
            clock.advance(1)
        return (Reading(POWER, 1.0),)

    guard = GuardedSensor(ScriptedSensor(sample), clock)
    guard.sample()
    assert up == [True, True, True, False]
    assert guard.is_up(clock.monotonic_ns())


def test_only_the_last_process_named_is_followed() -> None:
    sensor = FollowingSensor()
    guard = GuardedSensor(sensor, WoundClock())
    guard.follow(1)
    guard.follow(2)
    assert sensor.pid is None
    assert guard.sample() == (Reading(MEMORY, 2 * 65536),)
    guard.follow(None)
    assert guard.sample() == ()


def test_a_sensor_that_fails_to_close_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    class Clinging(ScriptedSensor):
        def close(self) -> None:
            raise OSError("stuck")

    GuardedSensor(Clinging(constant(POWER, 1)), WoundClock()).close()
    GuardedSensor(ScriptedSensor(constant(POWER, 1)), WoundClock()).close()
    assert [record.getMessage() for record in caplog.records] == ["sensor scripted did not close: stuck"]
