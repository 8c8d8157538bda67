"""How long a whole plan should take."""

from dataclasses import replace

import pytest

from edgeprof.plan import Gates, Plan, Step, StepKind, Until
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.speed import Speed
from edgeprof_agent.workload.plan_time import plan_seconds
from edgeprof_agent.workload.stage_estimate import StageEstimate

MODEL = planned_facts(parse_spec("synth:llama-3.2-1b@q4_0"))
SPEED = Speed(prefill_seconds_per_token=0.01, decode_seconds_per_token=0.1, context_seconds_per_token=0.0)
PLAN = Plan(
    name="plan",
    steps=(Step(kind=StepKind.PREFILL, prompt_tokens=1000),),  # 10 s
    repetitions=5,
    gates=Gates(idle_cpu_ratio=None),
    rest_seconds=0,
)


def seconds_of(plan: Plan) -> tuple[float, float]:
    return plan_seconds(plan, StageEstimate(plan, MODEL, 4, 30e9, lambda _: SPEED))


def test_a_plan_takes_its_repetitions_and_what_is_around_them() -> None:
    least, most = seconds_of(PLAN)
    assert least == most
    assert 50 < least < 75  # 10 s for the warm-up too


def test_another_repetition_takes_as_long_as_its_steps() -> None:
    once, twice = (seconds_of(replace(PLAN, repetitions=count))[0] for count in (1, 2))
    assert twice - once == pytest.approx(10.0)


def test_a_tight_interval_takes_as_many_as_are_allowed_at_most() -> None:
    bounded = replace(PLAN, until=Until(interval_ratio=0.02, most_repetitions=8))
    in_time = replace(PLAN, until=Until(interval_ratio=0.02, most_repetitions=80, most_seconds=95.0))
    assert seconds_of(bounded)[0] - seconds_of(PLAN)[0] == pytest.approx(10.0)  # the root of 5 times 8 is 6
    assert seconds_of(bounded)[1] - seconds_of(PLAN)[0] == pytest.approx(30.0)
    assert seconds_of(in_time)[1] - seconds_of(PLAN)[0] == pytest.approx(50.0)


def test_a_soak_takes_as_long_as_it_must_be_settled() -> None:
    soak = replace(PLAN, until=Until(settled_seconds=200.0, most_repetitions=1000, most_seconds=1800.0))
    assert seconds_of(soak)[0] - seconds_of(PLAN)[0] == pytest.approx(150.0)


def test_fresh_processes_load_and_warm_up_in_each_repetition() -> None:
    fresh = replace(PLAN, fresh_processes=True)
    once, twice = (seconds_of(replace(fresh, repetitions=count))[0] for count in (1, 2))
    assert once == seconds_of(replace(PLAN, repetitions=1))[0]
    assert 20.0 < twice - once < 25.0  # 10 s of warm-up beside those of the step
    in_time = replace(fresh, until=Until(interval_ratio=0.02, most_repetitions=80, most_seconds=10 * (twice - once)))
    assert seconds_of(in_time)[1] == pytest.approx(once + 10 * (twice - once))
