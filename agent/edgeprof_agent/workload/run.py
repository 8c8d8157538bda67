"""A run from its start to its end."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace

import psutil

from edgeprof.job import JobCommand
from edgeprof.plan import Plan
from edgeprof.run import EngineFacts, OptionSet, RunFinished, RunStarted, RunState
from edgeprof_agent.ceilings.kept import kept_memory_bandwidth
from edgeprof_agent.ceilings.peaks import known_peaks
from edgeprof_agent.sampling.cadence import IDLE, run_cadence
from edgeprof_agent.uplink.clocks import slept_ns
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineHello
from edgeprof_agent.workload.environment import RunEnvironment, RunSampler
from edgeprof_agent.workload.guards import check_limits
from edgeprof_agent.workload.kept_speeds import SpeedMeter, keep_speed, kept_speed
from edgeprof_agent.workload.limit_reached import LimitReachedError
from edgeprof_agent.workload.peak_memory import PeakMemory
from edgeprof_agent.workload.preparation import Preparation, prepare
from edgeprof_agent.workload.progress import ProgressTracker
from edgeprof_agent.workload.repetition_goal import RepetitionGoal
from edgeprof_agent.workload.schedule import Stage, schedule
from edgeprof_agent.workload.stage_estimate import StageEstimate
from edgeprof_agent.workload.stage_runner import StageRunner
from edgeprof_agent.workload.time_left import TimeLeft
from edgeprof_agent.workload.variant_engines import VariantEngines

__all__ = ["Run", "RunEnvironment", "RunSampler", "execute"]

_LOG = logging.getLogger(__name__)
# Not more often: each look wakes the agent, the collector and the display while a step is timed.
_WATCH_SECONDS = 2.0


async def execute(command: JobCommand, environment: RunEnvironment) -> RunFinished:
    """Carry a job out: prepare its engine and model, then run its plan and emit everything that happens.

    The first event is `RunStarted`, the last is `RunFinished`, whatever happens in between: an engine that fails, a
    limit that is reached and a cancellation end the run, and what was measured by then is kept. Cancelling the task
    before `RunStarted` raises `asyncio.CancelledError` as usual; after it, the run ends with the state
    ``CANCELLED`` and is returned like any other.

    Raises:
        EdgeprofError: the job was refused before anything started; no event was emitted.
    """
    preparation = await prepare(command, environment)
    return await Run(command, environment, preparation).to_its_end()


class Run:
    """A run whose engine and model are ready."""

    def __init__(self, command: JobCommand, environment: RunEnvironment, preparation: Preparation) -> None:
        plan = preparation.plan
        left_out = [each.name for each in command.plan.steps if each not in plan.steps]
        self._left_out_steps = tuple(name for name in left_out if name not in preparation.unanswerable_steps)
        self._command = replace(command, plan=plan)
        self._environment = environment
        self._preparation = preparation
        self._engines = VariantEngines(
            preparation.engines,
            preparation.engine_name,
            preparation.pythons,
            environment.servers,
            fresh=plan.fresh_processes,
            launcher=environment.launcher,
        )
        self._peak_memory = PeakMemory()
        estimate = _estimate(self._command, environment, preparation)
        self._speed_meters = [SpeedMeter(preparation.model) for _ in plan.variants]
        self._goal = RepetitionGoal(plan, estimate.repetition_seconds())
        time_left = TimeLeft(self._foreseen_stages(), estimate.seconds)
        self._progress = ProgressTracker(plan, time_left, run_id=environment.run_id, job_id=command.job_id)
        self._runner = StageRunner(
            plan=plan,
            model_path=preparation.model.path,
            engines=self._engines,
            environment=environment,
            progress=self._progress,
            estimate=estimate,
            peak_memory=self._peak_memory,
            goal=self._goal,
            speed_meters=self._speed_meters,
        )

    async def to_its_end(self) -> RunFinished:
        """Carry out all stages, or as many as the engine, the limits and a cancellation leave time for."""
        state, cause = RunState.FAILED, "edgeprof itself failed: the agent's log has the error"
        try:
            self._begin()
            await _first_to_end(self._carry_out_stages(), self._watch(), self._engines.kill)
            state, cause = RunState.SUCCEEDED, ""
            self._keep_speeds()
        except (EngineFailedError, LimitReachedError) as error:
            cause = str(error)
        except asyncio.CancelledError:
            state, cause = RunState.CANCELLED, ""
        finally:
            finished = await self._finish(state, cause)
        return finished

    def _begin(self) -> None:
        environment = self._environment
        environment.emit(
            RunStarted(
                run_id=environment.run_id,
                job_id=self._command.job_id,
                plan=self._command.plan,
                model=self._preparation.model,
                engine=_engine_facts(self._preparation, self._command.plan),
                device=environment.facts,
                boot_id=environment.boot_id,
                monotonic_ns=time.monotonic_ns(),
                wall_ns=time.time_ns(),
                slept_ns=slept_ns(),
                left_out_steps=self._left_out_steps,
                unanswerable_steps=self._preparation.unanswerable_steps,
            )
        )
        for peak in known_peaks(environment.facts, environment.run_id):
            environment.emit(peak)
        environment.sampler.set_cadence(run_cadence(environment.run_id))

    async def _carry_out_stages(self) -> None:
        """Carry out one stage after another; how many repetitions there will be is seen anew after each."""
        foreseen = self._goal.foreseen
        side_by_side = self._preparation.side_by_side
        for stage in schedule(self._command.plan, side_by_side=side_by_side, goes_on=self._goal.goes_on):
            if foreseen != self._goal.foreseen:
                foreseen = self._goal.foreseen
                self._progress.foresee(self._foreseen_stages(), foreseen)
            await self._runner.carry_out(stage)

    def _foreseen_stages(self) -> Iterator[Stage]:
        foreseen = self._goal.foreseen
        return schedule(
            self._command.plan,
            side_by_side=self._preparation.side_by_side,
            goes_on=lambda repetition: repetition < foreseen,
        )

    async def _watch(self) -> None:
        """Every other second: note the engine's memory, tell how far the run is, and see that the limits are kept."""
        while True:
            for pid in self._engines.workload_pids:
                self._peak_memory.read(pid)
            progress = self._progress.progress(self._environment.sampler.latest())
            self._environment.report(progress)
            self._environment.check()
            memory = psutil.virtual_memory()
            check_limits(
                self._command.plan.limits,
                elapsed_seconds=progress.elapsed_seconds,
                temperature_celsius=progress.temperature_celsius,
                memory_available_bytes=memory.available,
                memory_total_bytes=memory.total,
            )
            await asyncio.sleep(_WATCH_SECONDS)

    def _keep_speeds(self) -> None:
        folder, engine, model = self._environment.cache_folder, self._preparation.engine_name, self._preparation.model
        try:
            for variant, meter in zip(self._command.plan.variants, self._speed_meters, strict=True):
                if meter.speed is not None:
                    keep_speed(folder, engine, model, variant.options, meter.speed)
        except OSError as error:  # the next run's time is then estimated as if there had been no run
            _LOG.warning("the speed of this run was not kept: %s", error.strerror)

    async def _finish(self, state: RunState, cause: str) -> RunFinished:
        """End the engines, hand over what the sampler still holds, and close the run."""
        environment = self._environment
        try:
            if state is not RunState.SUCCEEDED:
                self._engines.kill()
            await self._engines.close()
        finally:
            environment.sampler.follow_process(None)
            environment.sampler.set_cadence(IDLE)
            environment.sampler.flush()
            finished = RunFinished(
                run_id=environment.run_id,
                state=state,
                cause=cause,
                monotonic_ns=time.monotonic_ns(),
                peak_resident_bytes=self._peak_memory.bytes,
            )
            environment.emit(finished)
        return finished


async def _first_to_end(
    work: Coroutine[None, None, None], watch: Coroutine[None, None, None], stop: Callable[[], None]
) -> None:
    """Do ``work`` until it ends, or until ``watch`` raises or this task is cancelled; then ``stop`` ends it at once."""
    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(watch)
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        first = working if working.done() else watching
    finally:
        if not working.done():
            stop()
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
    first.result()


def _engine_facts(preparation: Preparation, plan: Plan) -> EngineFacts:
    hellos = [preparation.engines[python].facts for python in preparation.pythons]
    hello = hellos[0]
    return EngineFacts(
        name=hello.engine,
        version=hello.version,
        build=hello.build,
        python_version=hello.python_version,
        options=tuple(
            OptionSet(options={**_defaults(its), **variant.options})
            for its, variant in zip(hellos, plan.variants, strict=True)
        ),
        variant_versions=tuple(each.version for each in hellos) if len(preparation.engines) > 1 else (),
    )


def _defaults(hello: EngineHello) -> dict[str, str]:
    return {option.name: option.default for option in hello.options}


def _estimate(command: JobCommand, environment: RunEnvironment, preparation: Preparation) -> StageEstimate:
    facts = environment.facts
    kept = kept_memory_bandwidth(environment.cache_folder, environment.boot_id, facts)
    return StageEstimate(
        command.plan,
        preparation.model,
        facts.physical_cores or facts.logical_cores,
        kept.read_bytes_per_second if kept else None,
        lambda variant: kept_speed(
            environment.cache_folder, preparation.engine_name, preparation.model, variant.options
        ),
    )
