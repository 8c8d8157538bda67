"""What a real run took, against what is foreseen of the next one by the speed that was kept of it."""

from dataclasses import replace
from pathlib import Path

from edgeprof.plan import Step, StepKind, Variant
from edgeprof.run import PhaseKind, RunStarted, RunState
from edgeprof_agent.workload.kept_speeds import kept_speed
from edgeprof_agent.workload.stage_estimate import StageEstimate

from .runs import Device, job, plan_of

LLAMA_CPP = "llama-cpp-python"
# Far more than the third that is promised: other programs run beside tests.
MOST_OFF = 4.0


def test_the_next_run_is_foreseen_by_the_last(tmp_path: Path) -> None:
    steps = (
        Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=512),
        Step(kind=StepKind.DECODE, name="decode", decode_tokens=64, depth_tokens=512),
        Step(kind=StepKind.CHAT, name="chat", prompt_tokens=64, decode_tokens=32, turns=2),
        Step(kind=StepKind.PARALLEL, name="parallel", sequences=4, decode_tokens=32),
        Step(kind=StepKind.ROWS, name="rows", rows=8, decode_tokens=128),
    )
    plan = replace(plan_of(repetitions=3), steps=steps, variants=(Variant(name="alone", options={"threads": "1"}),))
    device = Device(tmp_path)

    finished = device.run(job(plan, "synth:tiny@q8_0", LLAMA_CPP))

    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    [started] = device.all(RunStarted)
    speed = kept_speed(device.environment.cache_folder, LLAMA_CPP, started.model, plan.variants[0].options)
    assert speed is not None
    phases = device.phases(PhaseKind.STEP)
    took = sum(phase.end_monotonic_ns - phase.start_monotonic_ns for phase in phases) / 1e9 / plan.repetitions
    foreseen = StageEstimate(plan, started.model, 1, None, lambda _: speed).repetition_seconds()
    assert took / MOST_OFF < foreseen < took * MOST_OFF
