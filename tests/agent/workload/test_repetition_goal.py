"""How often steps are repeated: until the interval is tight, or rate and temperature have settled, within bounds."""

from collections.abc import Sequence

import numpy as np
import pytest

from edgeprof.plan import Plan, Step, StepKind, Until
from edgeprof.run import StepRef
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.median_interval import interval_ratio
from edgeprof_agent.workload.repetition_goal import RepetitionGoal

SECOND_NS = 1_000_000_000


def plan_with(until: Until | None, repetitions: int = 5) -> Plan:
    step = Step(kind=StepKind.DECODE, name="decode", decode_tokens=8)
    return Plan(name="plan", steps=(step,), repetitions=repetitions, until=until)


def request(seconds: float) -> RequestTimes:
    return RequestTimes(
        index=0,
        prompt_tokens=0,
        reused_tokens=0,
        depth_tokens=0,
        start_monotonic_ns=SECOND_NS,
        prefill_end_monotonic_ns=0,
        token_gaps_ns=(1,),
        token_counts=(),
        end_monotonic_ns=SECOND_NS + round(seconds * SECOND_NS),
    )


class Device:
    """Repeats a step that takes so many seconds, at so many degrees, from one repetition to the next; then the last."""

    def __init__(self, until: Until | None, seconds: Sequence[float], celsius: Sequence[float] = ()) -> None:
        self.now = 100.0
        self.goal = RepetitionGoal(plan_with(until), expected_seconds=1.0, clock=lambda: self.now)
        self._seconds = seconds
        self._celsius = celsius
        self.foreseen: list[int] = []

    def run(self) -> int:
        """Repeat as long as it is wanted; return how often."""
        repetition = 0
        while self.goal.goes_on(repetition):
            seconds = self._seconds[min(repetition, len(self._seconds) - 1)]
            self.now += seconds
            celsius = self._celsius[min(repetition, len(self._celsius) - 1)] if self._celsius else None
            self.goal.note(StepRef(step=0, variant=0, repetition=repetition), (request(seconds),), celsius)
            self.foreseen.append(self.goal.foreseen)
            repetition += 1
            assert repetition < 1000
        return repetition


def test_without_until_the_plan_says_how_often() -> None:
    device = Device(None, [1.0, 9.0])
    assert device.run() == 5
    assert set(device.foreseen) == {5}


def test_a_steady_device_needs_no_more_than_the_least() -> None:
    assert Device(Until(interval_ratio=0.02), [1.0, 1.001, 0.999, 1.002, 1.0]).run() == 5


def test_noise_is_repeated_until_the_interval_is_tight() -> None:
    noise = np.random.default_rng(7).normal(1.0, 0.02, 200)
    device = Device(Until(interval_ratio=0.02, most_repetitions=200), noise.tolist())
    count = device.run()
    assert 5 < count < 60
    assert interval_ratio([1 / seconds for seconds in noise[:count]]) <= 0.02
    assert interval_ratio([1 / seconds for seconds in noise[: count - 1]]) > 0.02


def test_repetitions_are_bounded_in_number_and_in_time() -> None:
    wild = [1.0, 3.0] * 200
    assert Device(Until(interval_ratio=0.001, most_repetitions=12), wild).run() == 12
    device = Device(Until(interval_ratio=0.001, most_repetitions=400, most_seconds=31.0), wild)
    assert device.run() == 16  # the 16th begins at 30 s


def test_a_soak_goes_on_while_the_rate_falls_and_ends_when_it_has_settled() -> None:
    falling = [1.0 + 0.01 * step for step in range(60)]
    device = Device(Until(settled_seconds=20.0, most_repetitions=500, most_seconds=3600.0), [*falling, 1.6])
    assert 60 < device.run() < 90


def test_a_soak_goes_on_while_the_temperature_rises() -> None:
    rising = [40.0 + 0.5 * step for step in range(50)]
    until = Until(settled_seconds=20.0, most_repetitions=500, most_seconds=3600.0)
    assert Device(until, [1.0], [40.0]).run() == 20
    assert 50 < Device(until, [1.0], rising).run() < 75


def test_what_is_foreseen_comes_close_before_the_end() -> None:
    noise = np.random.default_rng(3).normal(1.0, 0.03, 300).tolist()
    device = Device(Until(interval_ratio=0.02, most_repetitions=300, most_seconds=1e6), noise)
    count = device.run()
    assert device.foreseen[0] == 39  # the root of 5 times 300
    assert count / 3 < device.foreseen[count // 2] < count * 3


@pytest.mark.parametrize("count", [5, 7, 9, 15, 31, 201])
def test_the_interval_is_that_of_the_bootstrap(count: int) -> None:
    """Resampled 40,000 times, of an odd number of values: the ends agree but for a neighbour, when drawn badly."""
    values = np.sort(np.random.default_rng(count).normal(10.0, 1.0, count))
    medians = np.median(np.random.default_rng(1).choice(values, (40_000, count)), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    assert interval_ratio(values.tolist()) == pytest.approx((high - low) / np.median(values), rel=1e-9)


@pytest.mark.parametrize("count", [6, 10, 20])
def test_the_interval_of_an_even_number_is_never_narrower_than_the_bootstraps(count: int) -> None:
    values = np.sort(np.random.default_rng(count).normal(10.0, 1.0, count))
    medians = np.median(np.random.default_rng(1).choice(values, (40_000, count)), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    bootstrap = (high - low) / np.median(values)
    assert bootstrap <= interval_ratio(values.tolist()) < 2 * bootstrap


def test_values_that_are_all_the_same_have_no_width() -> None:
    assert interval_ratio([2.0] * 5) == 0.0


def test_thousands_of_values_have_an_interval_too() -> None:
    values = np.random.default_rng(1).normal(10.0, 1.0, 3001)
    assert 0.005 < interval_ratio(values.tolist()) < 0.015  # 4 standard errors of the median, 1.25 / sqrt(3001) each
