"""Runs that go well, with an engine that computes nothing."""

import asyncio
import dataclasses

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.run import (
    CeilingMeasured,
    ModelLoaded,
    PeakBandwidth,
    PeakMethod,
    Phase,
    PhaseKind,
    Request,
    RunFinished,
    RunStarted,
    RunState,
    StepRef,
    VariantMemory,
)
from edgeprof_agent.ceilings.kept import kept_memory_bandwidth
from edgeprof_agent.sampling.cadence import IDLE, Cadence, run_cadence
from edgeprof_agent.workload.preparation import prepare
from edgeprof_agent.workload.run import Run
from edgeprof_agent.workload.schedule import schedule

from .runs import Device, job, plan_of


def test_a_run_is_carried_out_stage_by_stage(device: Device, model: str) -> None:
    plan = plan_of()
    finished = device.run(job(plan, model))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    stages = schedule(plan, side_by_side=True)
    assert [(phase.kind, phase.step) for phase in device.all(Phase)] == [(each.kind, each.step) for each in stages]
    commands = [command["command"] for command in device.engine_commands()]
    assert commands == ["load", "warm_up", *["step"] * 6, "unload", "cancel", "close"]


def test_the_first_event_tells_what_runs_and_the_last_how_it_ended(device: Device, model: str) -> None:
    command = job(plan_of("good", ""), model)
    finished = device.run(command)
    events = device.events()
    started = events[0]
    assert isinstance(started, RunStarted)
    assert (started.run_id, started.job_id, started.plan) == ("run-1", "job-1", command.plan)
    assert (started.model.architecture, started.model.synthetic) == ("llama", True)
    assert (started.engine.name, started.engine.version, started.engine.build) == ("obedient", "1.0", "for tests")
    assert [options.options for options in started.engine.options] == [{"behaviour": "good", "width": "8"}] * 2
    assert started.device == device.environment.facts
    assert events[-1] is finished
    assert [type(event) for event in events].count(RunFinished) == 1


def test_options_in_force_are_those_that_the_engine_names_when_it_has_loaded(device: Device, model: str) -> None:
    device.run(job(plan_of(), model))
    (loaded,) = device.all(ModelLoaded)
    assert loaded.options == {"behaviour": "good", "width": "16"}
    assert (loaded.load_seconds, loaded.weights_bytes, loaded.kv_cache_bytes) == (0.5, 1000, None)


def test_every_request_belongs_to_its_step_and_lies_within_its_phase(device: Device, model: str) -> None:
    device.run(job(plan_of(), model))
    phases = {phase.step: phase for phase in device.phases(PhaseKind.STEP)}
    requests = device.all(Request)
    assert [request.index for request in requests] == [0, 0, 0, 1] * 2
    for request in requests:
        phase = phases[request.step]
        assert phase.start_monotonic_ns <= request.start_monotonic_ns
        assert request.end_monotonic_ns <= phase.end_monotonic_ns
    assert len(requests[1].token_gaps_ns) == 3
    assert requests[1].depth_tokens == 16


def test_phases_follow_each_other(device: Device, model: str) -> None:
    device.run(job(plan_of(), model))
    times = [time for phase in device.all(Phase) for time in (phase.start_monotonic_ns, phase.end_monotonic_ns)]
    assert times == sorted(times)


def test_the_sampler_runs_fast_between_start_and_end_and_follows_the_engine(device: Device, model: str) -> None:
    finished = device.run(job(plan_of(), model))
    assert device.all(Cadence) == [run_cadence("run-1"), IDLE]
    assert isinstance(device.record[0], RunStarted)
    assert device.record[1] == run_cadence("run-1")
    assert device.record[-4:] == [("follow", None), IDLE, "flush", finished]
    (pid,) = {command["pid"] for command in device.engine_commands()}
    assert [entry[1] for entry in device.all(tuple)] == [pid, None]


def test_variants_that_fit_are_loaded_side_by_side_and_take_turns(device: Device, model: str) -> None:
    device.run(job(plan_of("good", ""), model))
    steps = [phase.step for phase in device.phases(PhaseKind.STEP)]
    assert [step.variant for step in steps if step] == [0, 1] * 3 + [1, 0] * 3
    commands = device.engine_commands()
    first, second = dict.fromkeys(command["pid"] for command in commands)
    by_step = [command["pid"] for command in commands if command["command"] == "step"]
    assert by_step == [first, second] * 3 + [second, first] * 3
    assert [loaded.variant for loaded in device.all(ModelLoaded)] == [0, 1]
    followed = [entry[1] for entry in device.all(tuple)]
    assert followed[-5:] == [first, second, first, second, None]
    told = device.all(VariantMemory)
    assert [(each.variant, each.repetition) for each in told] == [(0, 1), (1, 1)]
    assert all(4 << 20 < each.peak_resident_bytes < 1 << 30 for each in told)


def test_variants_that_do_not_all_fit_are_loaded_in_turn_by_one_engine(device: Device, model: str) -> None:
    command = job(plan_of("good", ""), model)

    async def run_in_turn() -> RunFinished:
        preparation = dataclasses.replace(await prepare(command, device.environment), side_by_side=False)
        return await Run(command, device.environment, preparation).to_its_end()

    assert asyncio.run(run_in_turn()).state is RunState.SUCCEEDED
    commands = [command["command"] for command in device.engine_commands() if command["command"] != "step"]
    loading = ["load", "warm_up", "unload"]
    assert commands == [*loading, *loading, *loading, "cancel", "close"]
    assert len({command["pid"] for command in device.engine_commands()}) == 1
    assert [loaded.variant for loaded in device.all(ModelLoaded)] == [0, 1, 0]
    assert [told.variant for told in device.all(VariantMemory)] == [0]  # once the other was loaded, it is both's


def test_fresh_processes_begin_and_end_with_each_repetition(device: Device, model: str) -> None:
    plan = dataclasses.replace(plan_of("good", "", repetitions=3), fresh_processes=True)
    finished = device.run(job(plan, model))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    commands = device.engine_commands()
    pids = list(dict.fromkeys(command["pid"] for command in commands))
    by_process = [[command["command"] for command in commands if command["pid"] == pid] for pid in pids]
    assert by_process == [["load", "warm_up", *["step"] * 3, "unload", "cancel", "close"]] * 6
    words = [command["command"] for command in commands]
    repetition = ["load"] * 2 + ["warm_up"] * 2 + ["step"] * 6 + ["unload", "cancel", "close"] * 2
    assert words == repetition * 3  # those of one repetition have ended before the next one's begin
    loads = [phase.step for phase in device.phases(PhaseKind.LOAD) if phase.step]
    assert [(ref.repetition, ref.variant) for ref in loads] == [(0, 0), (0, 1), (1, 1), (1, 0), (2, 1), (2, 0)]
    assert [loaded.variant for loaded in device.all(ModelLoaded)] == [0, 1, 1, 0, 1, 0]
    told = [(each.variant, each.repetition) for each in device.all(VariantMemory)]
    assert told == [(0, 0), (1, 0), (1, 1), (0, 1), (1, 2), (0, 2)]


def test_a_fresh_process_is_followed_while_it_lives(device: Device, model: str) -> None:
    plan = dataclasses.replace(plan_of(repetitions=3), fresh_processes=True)
    device.run(job(plan, model))
    first, second, third = dict.fromkeys(command["pid"] for command in device.engine_commands())
    followed = [entry[1] for entry in device.all(tuple)]
    assert followed == [first, None, second, None, third, None, None]


def test_memory_of_the_engine_is_known_at_the_end(device: Device, model: str) -> None:
    finished = device.run(job(plan_of(), model))
    assert finished.peak_resident_bytes is not None
    assert 4 << 20 < finished.peak_resident_bytes < 1 << 30


def test_progress_goes_from_stage_to_stage_and_never_back(device: Device, model: str) -> None:
    plan = plan_of()
    device.run(job(plan, model))
    of_the_run = [progress for progress in device.progress if progress.phase is not PhaseKind.PREPARE]
    assert {progress.phase for progress in of_the_run} == set(PhaseKind) - {PhaseKind.PREPARE}
    ratios = [progress.done_ratio for progress in of_the_run]
    assert ratios == sorted(ratios)
    assert 0 <= ratios[0] < 0.5 < ratios[-1] <= 1
    steps = [progress for progress in of_the_run if progress.phase is PhaseKind.STEP]
    assert {(each.step, each.repetition) for each in steps} == {
        (step.name, repetition) for step in plan.steps for repetition in range(2)
    }
    assert {progress.repetition_count for progress in device.progress} == {2}
    assert {progress.job_id for progress in device.progress} == {"job-1"}


def test_memory_bandwidth_is_measured_at_both_ends_and_kept(device: Device, model: str) -> None:
    plan = dataclasses.replace(plan_of(), repetitions=1)
    device.with_a_cache_of(1 << 20).run(job(plan, model))
    ceilings = device.all(CeilingMeasured)
    assert [ceiling.processor for ceiling in ceilings] == ["cpu", "cpu"]
    assert all(ceiling.read_bytes_per_second > 0 and ceiling.copy_bytes_per_second > 0 for ceiling in ceilings)
    assert [phase.note for phase in device.phases(PhaseKind.CEILING)] == ["", ""]
    environment = device.environment
    kept = kept_memory_bandwidth(environment.cache_folder, environment.boot_id, environment.facts)
    assert kept is not None
    assert kept.read_bytes_per_second == ceilings[-1].read_bytes_per_second


def test_peaks_that_the_device_tells_come_with_the_start(device: Device, model: str) -> None:
    facts = dataclasses.replace(
        device.environment.facts, memory_transfers_per_second=3_200_000_000, memory_bus_bits=128
    )
    device.environment = dataclasses.replace(device.environment, facts=facts)
    device.run(job(plan_of(), model))
    [peak] = device.all(PeakBandwidth)
    assert (peak.processor, peak.method, peak.bytes_per_second) == ("cpu", PeakMethod.COMPUTED, 51.2e9)
    assert device.events()[1] is peak


def test_a_run_goes_on_where_memory_bandwidth_cannot_be_measured(device: Device, model: str) -> None:
    assert device.run(job(plan_of(), model)).state is RunState.SUCCEEDED
    assert device.all(CeilingMeasured) == []
    assert all("memory bandwidth is not measured" in phase.note for phase in device.phases(PhaseKind.CEILING))


@pytest.mark.parametrize(
    ("model_name", "engine", "cause"),
    [
        ("/nowhere/model.gguf", None, "/nowhere/model.gguf"),
        ("synth:lama-3.2-1b@q4_0", None, "llama-3.2-1b"),
        ("synth:llama-3.1-8b@f16", None, "GiB of memory"),
        ("synth:tiny@q8_0", "no-such-engine", "no engine is called 'no-such-engine'"),
    ],
)
def test_what_cannot_run_is_refused_in_one_line_before_anything_starts(
    device: Device, model_name: str, engine: str | None, cause: str
) -> None:
    plan = plan_of()
    if "8b" in model_name:
        plan = dataclasses.replace(plan, limits=dataclasses.replace(plan.limits, memory_headroom_ratio=1.0))
    command = job(plan, model_name) if engine is None else job(plan, model_name, engine)
    with pytest.raises(EdgeprofError, match=cause) as refusal:
        device.run(command)
    assert "\n" not in str(refusal.value)
    assert device.record == []
    assert not list(device.environment.cache_folder.glob("**/*.gguf"))


def test_references_name_variant_and_repetition(device: Device, model: str) -> None:
    device.run(job(plan_of("", "good", repetitions=1), model))
    of_variants = [phase.step for phase in device.phases(PhaseKind.LOAD, PhaseKind.WARM_UP, PhaseKind.UNLOAD)]
    assert of_variants == [StepRef(step=0, variant=variant, repetition=0) for variant in (0, 1)] * 3
