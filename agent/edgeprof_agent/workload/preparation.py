"""What comes before a run: its engine is started, its model written or described, and both are seen to be possible."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import psutil

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand
from edgeprof.plan import Plan
from edgeprof.run import ModelFacts, PhaseKind, Progress
from edgeprof_agent.ceilings.kept import known_memory_bandwidth
from edgeprof_agent.engines.registry import ENGINES
from edgeprof_agent.models.choice import choose_shape, memory_needed_bytes
from edgeprof_agent.models.outline import ModelOutline, outline_of
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.environment import RunEnvironment
from edgeprof_agent.workload.guards import loadable_bytes, refuse_what_does_not_fit
from edgeprof_agent.workload.readable_models import readable_models
from edgeprof_agent.workload.suitability import (
    refuse_texts_that_cannot_be_read,
    refuse_what_engine_cannot,
    refuse_what_engine_cannot_read,
    refuse_what_model_cannot,
    without_what_engine_cannot,
    without_what_model_cannot,
)

_REPORT_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A started engine and the model that it will load, side by side for all variants if memory allows.

    ``plan`` is the job's without the optional steps that an engine cannot run, and without ``unanswerable_steps``, the
    names of those that the model cannot do. ``engines`` holds an engine for each
    interpreter, ``pythons`` the interpreter of each variant.
    """

    plan: Plan
    engines: Mapping[str, EngineProcess]
    pythons: tuple[str, ...]
    engine_name: str
    model: ModelFacts
    side_by_side: bool
    unanswerable_steps: tuple[str, ...] = ()


async def prepare(command: JobCommand, environment: RunEnvironment) -> Preparation:
    """Start the engine and make the model ready.

    Raises:
        EdgeprofError: the engine is not there or cannot do what the plan asks for, a text cannot be read, the model
            cannot be had, or it does not fit in memory.
    """
    engine_name = command.engine or ENGINES[0].name
    pythons = tuple(variant.python or command.python for variant in command.plan.variants)
    engines: dict[str, EngineProcess] = {}
    try:
        for python in dict.fromkeys(pythons):
            engines[python] = await EngineProcess.start(
                engine_name, python, environment.servers, launcher=environment.launcher
            )
            own = [variant for variant, its in zip(command.plan.variants, pythons, strict=True) if its == python]
            plan = without_what_engine_cannot(command.plan, engines[python].facts)
            refuse_what_engine_cannot(replace(plan, variants=tuple(own)), engines[python].facts)
            command = replace(command, plan=plan)
        refuse_texts_that_cannot_be_read(command.plan)
        loads_model = all(engine.facts.capabilities.loads_model for engine in engines.values())
        model = await _prepare_model(command, engine_name, environment, loads_model=loads_model)
    except BaseException:
        for engine in engines.values():
            engine.kill()
            await engine.close()
        raise
    plan = without_what_model_cannot(command.plan, synthetic=model.synthetic)
    memory = psutil.virtual_memory()
    needed = memory_needed_bytes(model, plan.cache_tokens) * len(plan.variants)
    loadable = loadable_bytes(plan.limits, memory.available, memory.total)
    return Preparation(
        plan=plan,
        engines=engines,
        pythons=pythons,
        engine_name=engine_name,
        model=model,
        side_by_side=needed <= loadable or not loads_model,
        unanswerable_steps=tuple(each.name for each in command.plan.steps if each not in plan.steps),
    )


async def _prepare_model(
    command: JobCommand, engine_name: str, environment: RunEnvironment, *, loads_model: bool
) -> ModelFacts:
    """Make the model ready, or describe the one that a server runs already: it is in memory then, and fits."""
    plan = command.plan
    if not loads_model:
        if not command.model:
            raise EdgeprofError(f"the server '{command.engine}' runs a model already: name the file of that model")
        return await prepare_model(
            command.model,
            environment.cache_folder,
            _progress_reporter(command, environment),
            lambda outline: refuse_what_model_cannot(plan, outline),
        )
    name = command.model or await _choose_shape(command, engine_name, environment)

    def refuse(outline: ModelOutline) -> None:
        memory = psutil.virtual_memory()
        refuse_what_engine_cannot_read(engine_name, environment.servers, name, outline.format)
        refuse_what_model_cannot(plan, outline)
        refuse_what_does_not_fit(outline, plan, memory.available, memory.total)

    model = await prepare_model(name, environment.cache_folder, _progress_reporter(command, environment), refuse)
    refuse(outline_of(model))  # of a file that was fetched, no more than the size was known before
    return model


async def _choose_shape(command: JobCommand, engine_name: str, environment: RunEnvironment) -> str:
    readable = readable_models(engine_name, environment.servers)
    bandwidth = await known_memory_bandwidth(environment.cache_folder, environment.boot_id, environment.facts)
    memory = psutil.virtual_memory()
    return choose_shape(
        loadable_bytes(command.plan.limits, memory.available, memory.total),
        bandwidth.read_bytes_per_second,
        environment.facts.physical_cores or environment.facts.logical_cores,
        command.plan,
        readable.quantisation if readable else ENGINES[0].quantisation,
    )


def _progress_reporter(command: JobCommand, environment: RunEnvironment) -> Callable[[float], None]:
    """Return what turns the share of a file that is written or read into progress, at most twice a second."""
    begin = reported = time.monotonic()

    def report(done_ratio: float) -> None:
        nonlocal reported
        now = time.monotonic()
        if now < reported + _REPORT_SECONDS:
            return
        reported = now
        environment.report(
            Progress(
                run_id=environment.run_id,
                job_id=command.job_id,
                phase=PhaseKind.PREPARE,
                done_ratio=done_ratio,
                elapsed_seconds=now - begin,
                remaining_seconds=(now - begin) * (1 - done_ratio) / max(done_ratio, 0.01),
                repetition_count=command.plan.repetitions,
            )
        )

    return report
