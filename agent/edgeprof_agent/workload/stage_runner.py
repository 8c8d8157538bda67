"""Does what each stage of a run says, and emits what happened."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from typing import Any

from edgeprof.plan import Plan, Step, StepKind
from edgeprof.run import (
    CeilingMeasured,
    ModelLoaded,
    NextTokens,
    Phase,
    PhaseKind,
    Request,
    StepRef,
    TaskAnswer,
    TaskAnswers,
    TextScore,
    VariantMemory,
)
from edgeprof.task_set import MOST_ANSWER_CHARACTERS, TASK_SET_VERSION, Task, make_tasks, prompts_sha256
from edgeprof_agent.ceilings.kept import keep_memory_bandwidth
from edgeprof_agent.ceilings.memory_bandwidth import CeilingUnavailableError, measure_memory_bandwidth
from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.environment import RunEnvironment
from edgeprof_agent.workload.gate import wait_at_gate
from edgeprof_agent.workload.kept_speeds import SpeedMeter
from edgeprof_agent.workload.peak_memory import PeakMemory, VariantPeaks
from edgeprof_agent.workload.progress import ProgressTracker
from edgeprof_agent.workload.readings import hottest_celsius
from edgeprof_agent.workload.repetition_goal import RepetitionGoal
from edgeprof_agent.workload.schedule import Stage
from edgeprof_agent.workload.stage_estimate import StageEstimate
from edgeprof_agent.workload.variant_engines import VariantEngines

CUT_SHORT = "cut short"
"""The note of a phase that did not come to its own end."""


class StageRunner:
    """Carries out one stage after another. Every stage is emitted as a phase when it ends, however it ends."""

    def __init__(
        self,
        *,
        plan: Plan,
        model_path: str,
        engines: VariantEngines,
        environment: RunEnvironment,
        progress: ProgressTracker,
        estimate: StageEstimate,
        peak_memory: PeakMemory,
        goal: RepetitionGoal,
        speed_meters: Sequence[SpeedMeter],
    ) -> None:
        self._plan = plan
        self._model_path = model_path
        self._engines = engines
        self._environment = environment
        self._progress = progress
        self._estimate = estimate
        self._peak_memory = peak_memory
        self._variant_peaks = VariantPeaks()
        self._goal = goal
        self._speed_meters = speed_meters
        self._followed_pid: int | None = None
        self._actions: dict[PhaseKind, Callable[[StepRef], Awaitable[str | None]]] = {
            PhaseKind.LOAD: self._load,
            PhaseKind.WARM_UP: self._warm_up,
            PhaseKind.STEP: self._run_step,
            PhaseKind.UNLOAD: self._unload,
        }
        self._actions_of_all: dict[PhaseKind, Callable[[], Awaitable[str | None]]] = {
            PhaseKind.GATE: self._wait_at_gate,
            PhaseKind.CEILING: self._measure_ceiling,
            PhaseKind.REST: self._rest,
        }

    async def carry_out(self, stage: Stage) -> None:
        """Do what the stage says.

        Raises:
            EngineFailedError: the engine failed at it.
        """
        self._progress.begin_stage(stage)
        self._environment.report(self._progress.progress(self._environment.sampler.latest()))
        start_ns = time.monotonic_ns()
        note: str | None = CUT_SHORT
        try:
            note = await self._act(stage)
        finally:
            self._peak_memory.read(self._followed_pid)
            self._environment.emit(
                Phase(
                    run_id=self._environment.run_id,
                    kind=stage.kind,
                    step=stage.step,
                    start_monotonic_ns=start_ns,
                    end_monotonic_ns=time.monotonic_ns(),
                    note=note or "",
                )
            )
        self._progress.finish_stage()

    def _act(self, stage: Stage) -> Awaitable[str | None]:
        """Start the stage's action, which returns a note if there is something to tell."""
        if stage.step is None:
            return self._actions_of_all[stage.kind]()
        return self._actions[stage.kind](stage.step)

    async def _wait_at_gate(self) -> str:
        return await wait_at_gate(self._plan.gates, lambda: hottest_celsius(self._environment.sampler.latest()))

    async def _measure_ceiling(self) -> str | None:
        environment = self._environment
        try:
            measured = await measure_memory_bandwidth(environment.facts)
        except CeilingUnavailableError as error:
            return str(error)
        self._estimate.use_bandwidth(measured.read_bytes_per_second)
        environment.emit(CeilingMeasured(run_id=environment.run_id, processor="cpu", **_fields_of(measured)))
        try:
            keep_memory_bandwidth(environment.cache_folder, environment.boot_id, environment.facts, measured)
        except OSError as error:  # the run has its figure; the next choice of a model measures again
            return f"not kept for later: {error.strerror}"
        return None

    async def _rest(self) -> None:
        await asyncio.sleep(self._plan.rest_seconds)

    async def _load(self, ref: StepRef) -> None:
        await self._engines.assign(ref.variant)
        process = self._follow(ref)
        loaded = await process.load(
            self._model_path, self._plan.variants[ref.variant].options, self._plan.context_tokens, self._plan.seed
        )
        self._follow(ref)
        self._variant_peaks.note(process.workload_pid, ref.variant)
        facts = _fields_of(loaded)
        del facts["process_id"]
        self._environment.emit(ModelLoaded(run_id=self._environment.run_id, variant=ref.variant, **facts))

    async def _warm_up(self, ref: StepRef) -> None:
        """One untimed run of the step with the longest prompt, so that no timed one is first to touch its memory.

        Sequences that are decoded together have memory of their own: the most of them are run as well. So is a task,
        lest a model that can read no text is found out at the end.
        """
        alone = [step for step in self._plan.steps if not step.sequences]
        together = [step for step in self._plan.steps if step.sequences]
        if alone:
            longest = max(alone, key=lambda step: step.depth_tokens + step.prompt_tokens)
            await self._follow(ref).warm_up(longest)
        if together:
            most = max(together, key=lambda step: (step.sequences, step.context_tokens))
            await self._follow(ref).warm_up(most)
        for step in self._plan.steps:
            if step.kind is StepKind.TASKS:
                await self._follow(ref).warm_up(step, prompts=[task.prompt for task in self._tasks_of(step)])

    async def _run_step(self, ref: StepRef) -> None:
        process = self._follow(ref)
        tasks = self._tasks_of(self._plan.steps[ref.step])
        try:
            requests = await process.run_step(
                self._plan.steps[ref.step], self._progress.count_tokens, prompts=[task.prompt for task in tasks]
            )
        finally:  # of a step that was cut, what arrived
            for times in process.requests_so_far:
                self._environment.emit(Request(run_id=self._environment.run_id, step=ref, **_fields_of(times)))
        self._goal.note(ref, requests, hottest_celsius(self._environment.sampler.latest()))
        if self._plan.steps[ref.step].kind.is_timed:
            self._speed_meters[ref.variant].note(requests)
        if kept := process.next_tokens:
            self._environment.emit(
                NextTokens(
                    run_id=self._environment.run_id,
                    step=ref,
                    top_count=self._plan.steps[ref.step].top_count,
                    token_ids=kept.token_ids,
                    log_probabilities=kept.log_probabilities,
                )
            )
        if score := process.text_score:
            self._environment.emit(TextScore(run_id=self._environment.run_id, step=ref, **_fields_of(score)))
        if answers := process.answers:
            self._environment.emit(_task_answers(self._environment.run_id, ref, tasks, answers.texts))

    def _tasks_of(self, step: Step) -> tuple[Task, ...]:
        return make_tasks(self._plan.seed, step.tasks)

    async def _unload(self, ref: StepRef) -> None:
        process = self._follow(ref)
        if (peak_bytes := self._variant_peaks.read(process.workload_pid, ref.variant)) is not None:
            self._environment.emit(
                VariantMemory(
                    run_id=self._environment.run_id,
                    variant=ref.variant,
                    repetition=ref.repetition,
                    peak_resident_bytes=peak_bytes,
                )
            )
        await process.unload()
        await self._engines.release(ref.variant)
        if not process.running:  # its number may become another's
            self._followed_pid = None
            self._environment.sampler.follow_process(None)

    def _follow(self, ref: StepRef) -> EngineProcess:
        """Have the process that computes for this variant sampled, and return its engine."""
        process = self._engines.of(ref.variant)
        if process.workload_pid != self._followed_pid:
            self._followed_pid = process.workload_pid
            self._environment.sampler.follow_process(self._followed_pid)
        return process


def _fields_of(value: Any) -> dict[str, Any]:
    """The fields of a flat dataclass by name. `asdict` would look at each of a thousand token gaps."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _task_answers(run_id: str, ref: StepRef, tasks: Sequence[Task], texts: Sequence[str]) -> TaskAnswers:
    return TaskAnswers(
        run_id=run_id,
        step=ref,
        set_version=TASK_SET_VERSION,
        prompts_sha256=prompts_sha256(tasks),
        answers=tuple(
            TaskAnswer(
                kind=task.kind, question=task.question, expected=task.expected, text=text[:MOST_ANSWER_CHARACTERS]
            )
            for task, text in zip(tasks, texts, strict=True)
        ),
    )
