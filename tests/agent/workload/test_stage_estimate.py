import dataclasses

import pytest

from edgeprof.plan_file import built_in_plan
from edgeprof.run import PhaseKind, StepRef
from edgeprof_agent.models.choice import estimate_seconds
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.workload.schedule import Stage, schedule
from edgeprof_agent.workload.stage_estimate import StageEstimate

PLAN = built_in_plan("quick")
MODEL = planned_facts(parse_spec("synth:llama-3.2-1b@q4_0"))


def step_seconds(estimate: StageEstimate, step: int) -> float:
    return estimate.seconds(Stage(PhaseKind.STEP, StepRef(step=step, variant=0, repetition=0)))


def test_steps_take_what_they_add_to_the_estimate_of_the_plan() -> None:
    estimate = StageEstimate(PLAN, MODEL, 4, 30e9)
    more = dataclasses.replace(PLAN, repetitions=PLAN.repetitions + 1)
    added = estimate_seconds(MODEL, more, 30e9, 4) - estimate_seconds(MODEL, PLAN, 30e9, 4)
    assert sum(step_seconds(estimate, step) for step in range(len(PLAN.steps))) == pytest.approx(added)


def test_a_measured_bandwidth_changes_what_decoding_takes() -> None:
    estimate = StageEstimate(PLAN, MODEL, 4, None)
    before = [step_seconds(estimate, step) for step in range(2)]
    estimate.use_bandwidth(200e9)
    prefill, decode = (step_seconds(estimate, step) for step in range(2))
    assert prefill == pytest.approx(before[0])
    assert decode < before[1] / 5


def test_every_stage_has_an_estimate() -> None:
    estimate = StageEstimate(PLAN, MODEL, 4, 30e9)
    for stage in schedule(PLAN, side_by_side=True):
        foreseen = stage.kind not in (PhaseKind.GATE, PhaseKind.UNLOAD)
        assert (estimate.seconds(stage) > 0) is foreseen
