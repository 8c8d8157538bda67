from edgeprof.catalogue import channel
from edgeprof.run import PhaseKind, StepRef
from edgeprof_agent.workload.progress import ProgressTracker
from edgeprof_agent.workload.schedule import Stage, schedule
from edgeprof_agent.workload.time_left import TimeLeft

from .runs import plan_of

PLAN = plan_of(repetitions=3)
DECODE = Stage(PhaseKind.STEP, StepRef(step=1, variant=0, repetition=2))


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def tracker(clock: Clock) -> ProgressTracker:
    time_left = TimeLeft(schedule(PLAN, side_by_side=True), lambda _: 1.0)
    return ProgressTracker(PLAN, time_left, run_id="run", job_id="job", clock=clock)


def test_it_says_which_repetition_of_which_step_runs() -> None:
    clock = Clock()
    progress = tracker(clock)
    progress.begin_stage(DECODE)
    clock.seconds += 2.5
    said = progress.progress({})
    assert (said.run_id, said.job_id, said.phase) == ("run", "job", PhaseKind.STEP)
    assert (said.step, said.repetition, said.repetition_count) == ("decode", 2, 3)
    assert said.elapsed_seconds == 2.5


def test_between_steps_no_step_is_named() -> None:
    progress = tracker(Clock())
    progress.begin_stage(Stage(PhaseKind.LOAD, StepRef(step=0, variant=0, repetition=0)))
    assert progress.progress({}).step == ""


def test_the_rate_is_that_since_the_last_tokens_and_belongs_to_the_stage() -> None:
    clock = Clock()
    progress = tracker(clock)
    progress.begin_stage(DECODE)
    assert progress.progress({}).tokens_per_second is None
    clock.seconds += 2.0
    progress.count_tokens(10)
    assert progress.progress({}).tokens_per_second == 5.0
    clock.seconds += 0.5
    progress.count_tokens(10)
    assert progress.progress({}).tokens_per_second == 20.0
    progress.begin_stage(DECODE)
    assert progress.progress({}).tokens_per_second is None


def test_the_share_done_does_not_fall_when_the_rest_grows() -> None:
    clock = Clock()
    progress = tracker(clock)
    for stage in tuple(schedule(PLAN, side_by_side=True))[:6]:
        progress.begin_stage(stage)
        clock.seconds += 1.0
        progress.finish_stage()
    before = progress.progress({})
    progress.begin_stage(DECODE)
    clock.seconds += 100.0
    progress.finish_stage()
    after = progress.progress({})
    assert after.remaining_seconds > before.remaining_seconds
    assert after.done_ratio >= before.done_ratio > 0


def test_it_carries_the_hottest_place_and_the_engines_memory() -> None:
    latest = {
        channel("edgeprof_temperature_celsius", "a", chip="soc", place="cpu"): 61.0,
        channel("edgeprof_temperature_celsius", "b", chip="soc", place="gpu"): 72.5,
        channel("edgeprof_gpu_temperature_celsius", "c", gpu="gpu0", place="core"): 70.0,
        channel("edgeprof_cpu_busy_ratio", "d"): 99.0,
        channel("edgeprof_workload_resident_bytes", "e"): 4096.0,
    }
    said = tracker(Clock()).progress(latest)
    assert (said.temperature_celsius, said.resident_bytes) == (72.5, 4096)


def test_what_no_sensor_tells_is_absent() -> None:
    said = tracker(Clock()).progress({})
    assert (said.temperature_celsius, said.resident_bytes) == (None, None)
