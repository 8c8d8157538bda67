"""The ends of sustained load against each other."""

from collections.abc import Sequence

from edgeprof.plan import Plan, Step, StepKind, Until
from edgeprof_collector.analysis.definitions import figure
from edgeprof_collector.analysis.sustained import sustained_rate
from edgeprof_collector.analysis.verdict import Conditions, FigureName, Repetition, Sample, Sustained

SECOND_NS = 1_000_000_000
SOAK = Until(settled_seconds=60.0, most_repetitions=1000, most_seconds=1800.0)


def judged(
    rates: Sequence[float], celsius: Sequence[float] = (), until: Until | None = SOAK, seconds: float = 10.0
) -> Sustained | None:
    """Of repetitions that take so many seconds each, at so many tokens a second."""
    step = Step(kind=StepKind.DECODE, name="decode", decode_tokens=8)
    plan = Plan(name="soak", steps=(step,), until=until)
    repetitions = [
        Repetition(
            index=index,
            start_monotonic_ns=round(index * seconds * SECOND_NS),
            end_monotonic_ns=round((index + 1) * seconds * SECOND_NS),
            complete=True,
            conditions=Conditions(temperature_celsius=celsius[index] if celsius else None),
        )
        for index in range(len(rates))
    ]
    rate = figure(FigureName.DECODE_RATE, [Sample(index, value) for index, value in enumerate(rates)])
    return sustained_rate(plan, repetitions, [rate])


def test_two_minutes_at_each_end_are_compared() -> None:
    found = judged([20.0] * 12 + [17.0] * 60 + [15.0] * 12, [40.0] * 12 + [60.0] * 60 + [70.0] * 12)
    assert found is not None
    assert (found.first_rate, found.last_rate) == (20.0, 15.0)
    assert (found.first_celsius, found.last_celsius) == (40.0, 70.0)
    assert (found.window_seconds, found.span_seconds, found.settled) == (120.0, 840.0, True)


def test_quarters_of_a_short_run_are_compared() -> None:
    found = judged([20.0, 20.0, 18.0, 18.0, 16.0, 16.0, 16.0, 16.0])
    assert found is not None
    assert (found.window_seconds, found.first_rate, found.last_rate) == (20.0, 20.0, 16.0)
    assert (found.first_celsius, found.last_celsius) == (None, None)


def test_a_run_that_met_its_bounds_has_not_settled() -> None:
    by_time = judged([20.0] * 200)
    by_number = judged([20.0] * 10, until=Until(settled_seconds=60.0, most_repetitions=10))
    assert by_time is not None
    assert by_number is not None
    assert (by_time.settled, by_number.settled) == (False, False)


def test_other_plans_and_runs_of_few_repetitions_have_no_ends() -> None:
    assert judged([20.0] * 100, until=None) is None
    assert judged([20.0] * 100, until=Until(interval_ratio=0.02)) is None
    assert judged([20.0]) is None
