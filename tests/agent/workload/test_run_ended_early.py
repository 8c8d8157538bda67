"""Runs that an engine, a limit, a person or a defect ends early."""

import asyncio
import dataclasses
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from edgeprof.catalogue import channel
from edgeprof.plan import Limits, Variant
from edgeprof.run import Phase, PhaseKind, Progress, Request, RunFinished, RunStarted, RunState
from edgeprof_agent.sampling.cadence import IDLE, Cadence
from edgeprof_agent.workload.run import execute

from .runs import Device, job, plan_of

HANG = "hang in the second step"
SECOND_STEP = 1


def cut_phase(device: Device) -> Phase:
    """The one phase that did not come to its own end."""
    (cut,) = [phase for phase in device.all(Phase) if phase.note == "cut short"]
    assert cut is device.all(Phase)[-1]
    return cut


def assert_kept_up_to_the_second_step(device: Device) -> None:
    assert isinstance(device.events()[0], RunStarted)
    assert isinstance(device.events()[-1], RunFinished)
    assert [phase.step.step for phase in device.phases(PhaseKind.STEP) if phase.step] == [0, SECOND_STEP]
    cut = cut_phase(device)
    assert cut.step is not None
    assert cut.step.step == SECOND_STEP
    whole, part = device.all(Request)
    assert (whole.step, part.step) == (device.phases(PhaseKind.STEP)[0].step, cut.step)
    assert len(part.token_gaps_ns) == 3
    assert device.all(Cadence)[-1] == IDLE
    assert not any(psutil.pid_exists(int(str(command["pid"]))) for command in device.engine_commands())


def test_an_engine_that_is_killed_ends_the_run_with_its_cause(device: Device, model: str) -> None:
    finished = device.run(job(plan_of("die in the second step"), model))
    assert finished.state is RunState.FAILED
    assert "SIGKILL" in finished.cause
    assert "decode" in finished.cause
    assert "\n" not in finished.cause
    assert finished.peak_resident_bytes is not None
    assert_kept_up_to_the_second_step(device)


def test_an_engine_that_refuses_a_step_ends_the_run_with_its_words(device: Device, model: str) -> None:
    finished = device.run(job(plan_of("refuse the second step"), model))
    assert (finished.state, finished.cause) == (RunState.FAILED, "the engine has no more room in its cache")
    assert_kept_up_to_the_second_step(device)


def test_an_option_that_the_engine_cannot_honour_ends_the_run_at_the_load(device: Device, model: str) -> None:
    plan = dataclasses.replace(plan_of(), variants=(Variant(name="odd", options={"width": "11"}),))
    finished = device.run(job(plan, model))
    assert (finished.state, finished.cause) == (RunState.FAILED, "the engine obedient cannot honour a width of 11")
    assert cut_phase(device).kind is PhaseKind.LOAD


def test_a_failing_variant_ends_the_engines_of_all(device: Device, model: str) -> None:
    finished = device.run(job(plan_of("", "die in the second step"), model))
    assert finished.state is RunState.FAILED
    pids = {int(str(command["pid"])) for command in device.engine_commands()}
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize(
    ("limits", "cause"),
    [
        (Limits(time_seconds=2.0, memory_headroom_ratio=0.0), "its limit is 2 s"),
        (Limits(temperature_celsius=90.0, memory_headroom_ratio=0.0), "95.5 °C and the limit is 90 °C"),
    ],
)
def test_a_limit_ends_the_run_with_the_figure(device: Device, model: str, limits: Limits, cause: str) -> None:
    hot = channel("edgeprof_temperature_celsius", "test", chip="soc", place="package")

    def heat_up(event: object) -> None:
        device.record.append(event)
        if isinstance(event, Request):
            device.latest[hot] = 95.5

    device.environment = dataclasses.replace(device.environment, emit=heat_up)
    finished = device.run(job(plan_of(HANG, limits=limits), model))
    assert finished.state is RunState.FAILED
    assert cause in finished.cause
    assert_kept_up_to_the_second_step(device)


def test_an_engine_that_eats_the_memory_is_stopped_in_time(device: Device, model: str) -> None:
    memory = psutil.virtual_memory()
    spare_bytes = 1 << 29
    limits = Limits(memory_headroom_ratio=(memory.available - spare_bytes) / memory.total)
    finished = device.run(job(plan_of("grow", limits=limits), model))
    assert finished.state is RunState.FAILED
    assert "GiB of memory were left" in finished.cause
    assert finished.peak_resident_bytes is not None
    assert finished.peak_resident_bytes > spare_bytes // 4
    assert_kept_up_to_the_second_step(device)


async def in_the_second_step(device: Device, then: Callable[[], Awaitable[object] | object]) -> None:
    """Call ``then`` as soon as the engine hangs in the second step."""
    while len(device.phases(PhaseKind.STEP)) < 1 or device.engine_commands()[-1].get("kind") != "decode":  # noqa: ASYNC110 - another process gives no event
        await asyncio.sleep(0.01)
    then()


def test_killing_the_engine_from_outside_leaves_what_was_measured(device: Device, model: str) -> None:
    async def kill_it() -> RunFinished:
        running = asyncio.ensure_future(execute(job(plan_of(HANG), model), device.environment))
        await in_the_second_step(device, lambda: os.kill(int(str(device.engine_commands()[-1]["pid"])), signal.SIGKILL))
        return await running

    finished = asyncio.run(kill_it())
    assert finished.state is RunState.FAILED
    assert "SIGKILL" in finished.cause


def test_a_cancelled_run_is_finished_and_kept(device: Device, model: str) -> None:
    async def cancel_it() -> RunFinished:
        running = asyncio.ensure_future(execute(job(plan_of(HANG), model), device.environment))
        await in_the_second_step(device, running.cancel)
        return await running

    finished = asyncio.run(cancel_it())
    assert (finished.state, finished.cause) == (RunState.CANCELLED, "")
    assert device.events()[-1] is finished
    assert cut_phase(device).kind is PhaseKind.STEP
    assert not psutil.pid_exists(int(str(device.engine_commands()[-1]["pid"])))


@pytest.mark.parametrize("phase", [PhaseKind.UNLOAD, PhaseKind.LOAD, PhaseKind.WARM_UP])
def test_cancelling_between_fresh_processes_leaves_none(device: Device, model: str, phase: PhaseKind) -> None:
    plan = dataclasses.replace(plan_of("", "", repetitions=2), fresh_processes=True)

    async def cancel_it() -> RunFinished:
        def cancel(progress: Progress) -> None:
            if progress.phase is phase and (progress.repetition == 1 or phase is PhaseKind.UNLOAD):
                running.cancel()

        device.environment = dataclasses.replace(device.environment, report=cancel)
        running = asyncio.ensure_future(execute(job(plan, model), device.environment))
        return await running

    finished = asyncio.run(cancel_it())
    assert (finished.state, device.events()[-1]) == (RunState.CANCELLED, finished)
    assert cut_phase(device).kind is phase
    assert psutil.Process().children() == []


def test_cancelling_before_the_start_is_an_ordinary_cancellation(device: Device, model: str) -> None:
    async def cancel_it() -> None:
        running = asyncio.ensure_future(execute(job(plan_of(), model), device.environment))
        while not psutil.Process().children():  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancel_it())
    assert device.record == []
    assert psutil.Process().children() == []


def test_a_defect_is_raised_and_still_finishes_the_run(device: Device, model: str, tmp_path: Path) -> None:
    def fail_once(event: object) -> None:
        device.record.append(event)
        if isinstance(event, Phase) and event.kind is PhaseKind.LOAD:
            raise ZeroDivisionError

    device.environment = dataclasses.replace(device.environment, emit=fail_once)
    with pytest.raises(ZeroDivisionError):
        device.run(job(plan_of(), model))
    finished = device.events()[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.state, finished.cause) == (
        RunState.FAILED,
        "edgeprof itself failed: the agent's log has the error",
    )
    assert psutil.Process().children() == []
