import dataclasses

import pytest

from edgeprof.plan import Gates, Plan, Step, StepKind, Variant
from edgeprof.plan_file import built_in_plan
from edgeprof.run import PhaseKind, StepRef
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.speed import Speed, assumed_speed, prompt_seconds, step_seconds
from edgeprof_agent.workload.schedule import Stage, schedule
from edgeprof_agent.workload.stage_estimate import StageEstimate

PLAN = built_in_plan("quick")
MODEL = planned_facts(parse_spec("synth:llama-3.2-1b@q4_0"))
SPEED = Speed(prefill_seconds_per_token=0.01, decode_seconds_per_token=0.1, context_seconds_per_token=3e-5)


def seconds_of(estimate: StageEstimate, step: int) -> float:
    return estimate.seconds(Stage(PhaseKind.STEP, StepRef(step=step, variant=0, repetition=0)))


def estimate_of(*steps: Step) -> StageEstimate:
    return StageEstimate(Plan(name="plan", steps=steps), MODEL, 4, 30e9, lambda _: SPEED)


def decode(tokens: int, depth: int = 0) -> Step:
    return Step(kind=StepKind.DECODE, decode_tokens=tokens, depth_tokens=depth)


def test_a_measured_bandwidth_changes_what_decoding_takes() -> None:
    estimate = StageEstimate(PLAN, MODEL, 4, None)
    before = [seconds_of(estimate, step) for step in range(2)]
    estimate.use_bandwidth(200e9)
    after = [seconds_of(estimate, step) for step in range(2)]
    assert after[0] == pytest.approx(before[0], rel=0.05)
    assert after[1] < before[1] / 5


def test_a_speed_that_is_known_is_not_guessed_from_the_bandwidth() -> None:
    estimate = StageEstimate(PLAN, MODEL, 4, 30e9, lambda _: SPEED)
    before = [seconds_of(estimate, step) for step in range(len(PLAN.steps))]
    estimate.use_bandwidth(200e9)
    assert [seconds_of(estimate, step) for step in range(len(PLAN.steps))] == before
    assert before[0] == pytest.approx(256 * (0.01 + 128 * 1e-5))
    assert before[1] == pytest.approx(48 * (0.1 + 48 * 3e-5))


def test_each_variant_has_the_speed_of_its_own_options() -> None:
    slow = dataclasses.replace(SPEED, prefill_seconds_per_token=0.02)
    variants = (Variant(name="fast"), Variant(name="slow", options={"threads": "1"}))
    plan = Plan(name="plan", steps=(Step(kind=StepKind.PREFILL, prompt_tokens=100),), variants=variants)
    estimate = StageEstimate(plan, MODEL, 4, 30e9, lambda variant: slow if variant.options else SPEED)
    took = [
        [estimate.seconds(Stage(kind, StepRef(step=0, variant=variant, repetition=0))) for variant in (0, 1)]
        for kind in (PhaseKind.STEP, PhaseKind.WARM_UP)
    ]
    assert took[0][1] - took[0][0] == took[1][1] - took[1][0] == pytest.approx(1.0)
    assert estimate.repetition_seconds() == pytest.approx(sum(took[0]))


def test_context_that_the_step_before_left_is_not_filled_again() -> None:
    shallow, deep = decode(48, 512), decode(48, 1536)
    estimate = estimate_of(shallow, deep)
    assert seconds_of(estimate, 0) == pytest.approx(step_seconds(shallow, SPEED, 1584))
    assert seconds_of(estimate, 1) == pytest.approx(step_seconds(deep, SPEED, 560))
    assert step_seconds(deep, SPEED, 0) - seconds_of(estimate, 1) == pytest.approx(prompt_seconds(SPEED, 560, 0))


def test_sequences_and_rows_share_the_reading_of_the_weights_but_not_the_arithmetic() -> None:
    alone, four = step_seconds(decode(16), SPEED), Step(kind=StepKind.PARALLEL, sequences=4, decode_tokens=16)
    assert step_seconds(four, SPEED) - alone == pytest.approx(16 * (3 * 0.01 + 3 * 16 * 3e-5))
    rows = Step(kind=StepKind.ROWS, rows=4, decode_tokens=64)
    assert step_seconds(rows, SPEED) == pytest.approx(16 * (0.1 + 3 * 0.01 + 64 * 3e-5))


def test_a_prompt_takes_longer_after_others() -> None:
    shallow, deep = (Step(kind=StepKind.PREFILL, prompt_tokens=100, depth_tokens=depth) for depth in (0, 1000))
    took = step_seconds(deep, SPEED, 1000) - step_seconds(shallow, SPEED)
    assert took == pytest.approx(100 * 1000 * 1e-5)


def test_a_repetition_is_the_sum_of_its_timed_steps_in_all_variants() -> None:
    fidelity = Step(kind=StepKind.FIDELITY, prompt_tokens=100)
    plan = Plan(name="plan", steps=(decode(10), fidelity), variants=PLAN.variants * 2)
    estimate = StageEstimate(plan, MODEL, 4, 30e9, lambda _: SPEED)
    assert estimate.repetition_seconds() == pytest.approx(2 * seconds_of(estimate, 0))


def test_every_stage_but_the_unloading_has_an_estimate() -> None:
    estimate = StageEstimate(PLAN, MODEL, 4, 30e9)
    for stage in schedule(PLAN, side_by_side=True):
        assert (estimate.seconds(stage) > 0) is (stage.kind is not PhaseKind.UNLOAD)


def test_a_gate_without_a_wish_takes_no_time() -> None:
    plan = dataclasses.replace(PLAN, gates=Gates(idle_cpu_ratio=None))
    assert StageEstimate(plan, MODEL, 4, 30e9).seconds(Stage(PhaseKind.GATE)) == 0.0


def test_a_prompt_takes_the_time_of_its_arithmetic() -> None:
    one, two = (assumed_speed(MODEL, 10e9, cores).prefill_seconds_per_token for cores in (1, 2))
    parameters_in_layers = 1_235_814_400 - 128_256 * 2048
    assert one == pytest.approx(2 * two)
    assert one == pytest.approx(2 * parameters_in_layers / 50e9, rel=0.2)
