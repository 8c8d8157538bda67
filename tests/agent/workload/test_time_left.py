import pytest

from edgeprof.run import PhaseKind, StepRef
from edgeprof_agent.workload.schedule import Stage
from edgeprof_agent.workload.time_left import TimeLeft

ESTIMATES = {PhaseKind.LOAD: 4.0, PhaseKind.STEP: 2.0}
LOAD = Stage(PhaseKind.LOAD, StepRef(step=0, variant=0, repetition=0))


def step(step: int, repetition: int) -> Stage:
    return Stage(PhaseKind.STEP, StepRef(step=step, variant=0, repetition=repetition))


def time_left() -> TimeLeft:
    """Loading and three repetitions of two steps: 16 s by the estimate."""
    stages = (LOAD, *(step(number, repetition) for repetition in range(3) for number in range(2)))
    return TimeLeft(stages, lambda stage: ESTIMATES[stage.kind])


def test_at_first_the_estimate_counts_down() -> None:
    left = time_left()
    assert left.seconds(LOAD, 0.0) == 16.0
    assert left.seconds(LOAD, 1.0) == 15.0
    assert left.done_ratio(LOAD, 1.0) == 1 / 16


def test_a_stage_that_takes_longer_than_expected_leaves_the_others_their_time() -> None:
    assert time_left().seconds(LOAD, 100.0) == 12.0


def test_what_one_step_took_corrects_the_estimate_of_another() -> None:
    left = time_left()
    left.finish_stage(LOAD, 1.0)
    left.finish_stage(step(0, 0), 6.0)
    assert left.seconds(step(1, 0), 0.0) == pytest.approx(2 * 6.0 + 3 * 6.0)


def test_what_was_measured_replaces_the_estimate() -> None:
    left = time_left()
    left.finish_stage(LOAD, 1.0)
    left.finish_stage(step(0, 0), 6.0)
    left.finish_stage(step(1, 0), 3.0)
    left.finish_stage(step(0, 1), 8.0)
    assert left.seconds(step(1, 1), 0.0) == pytest.approx(3.0 + 7.0 + 3.0)
    assert left.done_ratio(step(1, 1), 1.5) == pytest.approx((1.0 + 7.0 + 3.0 + 7.0 + 1.5) / (1.0 + 3 * 7.0 + 3 * 3.0))


def test_at_the_end_nothing_is_left() -> None:
    left = TimeLeft((LOAD,), lambda _: 1.0)
    left.finish_stage(LOAD, 3.0)
    assert left.seconds(LOAD, 3.0) == 0.0
    assert left.done_ratio(LOAD, 3.0) == 1.0


def test_a_run_of_nothing_that_takes_time_is_done() -> None:
    assert TimeLeft((LOAD,), lambda _: 0.0).done_ratio(LOAD, 1.0) == 1.0
