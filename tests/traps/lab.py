"""Runs of real engines on this machine, from the plan to the verdict, within one process and its engine's child."""

import asyncio
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from edgeprof.device import DeviceFacts
from edgeprof.job import JobCommand
from edgeprof.plan import Gates, Limits, Plan, Step, StepKind, Variant
from edgeprof.run import (
    CeilingMeasured,
    ModelLoaded,
    NextTokens,
    PeakBandwidth,
    Phase,
    Request,
    RunEvent,
    RunFinished,
    RunRecord,
    RunStarted,
    RunState,
    TaskAnswers,
    TextScore,
    VariantMemory,
)
from edgeprof.telemetry import Channel, SampledFrame, channel_to_message, encode_frame
from edgeprof.v1.telemetry_pb2 import Layout, RunTelemetry
from edgeprof_agent.sampling.sampler import Sampler
from edgeprof_agent.sensors.device_facts import gather_device_facts
from edgeprof_agent.sensors.registry import discover_sensors
from edgeprof_agent.workload.run import RunEnvironment, RunSampler, execute
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.analysis.verdict import Finding, Verdict

SPOILT_ENGINE = str(Path(__file__).parent / "spoilt_engine.py")
HASTY_ENGINE = str(Path(__file__).parent / "hasty_mlx.py")
LLAMA_CPP = "llama-cpp-python"
TINY = "synth:tiny@q8_0"
# Two threads wait for each other at every layer, so that another process on one core slows both.
_ALONE = {"threads": "1"}
T = TypeVar("T")
_BOOT_ID = bytes(range(16))
_ROOT = Path("/")
# A last-level cache beside which no buffer is large: memory bandwidth is then not measured, and the run is short.
_EVERYTHING_IN_CACHE = 1 << 60


class _NoSampler:
    """Reads nothing."""

    def set_cadence(self, cadence: object) -> None: ...
    def follow_process(self, pid: int | None) -> None: ...
    def latest(self) -> Mapping[Channel, float]:
        return {}

    def flush(self) -> None: ...


class _Frames:
    """Frames of the real sensors, as a stored run has them."""

    def __init__(self) -> None:
        self.telemetry = RunTelemetry()
        self._numbers: dict[tuple[Channel, ...], int] = {}

    def add(self, frame: SampledFrame) -> None:
        self.telemetry.frames.append(encode_frame(frame, _BOOT_ID, self._number))

    def _number(self, channels: tuple[Channel, ...]) -> int:
        if channels not in self._numbers:
            self._numbers[channels] = len(self._numbers) + 1
            messages = [channel_to_message(each) for each in channels]
            self.telemetry.layouts.append(Layout(layout=self._numbers[channels], channels=messages))
        return self._numbers[channels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A run as the collector would have stored it."""

    record: RunRecord
    series: Sequence[Series] = ()

    @property
    def verdict(self) -> Verdict:
        return analyse(self.record, self.series)

    def found(self, name: FindingName) -> tuple[Finding, ...]:
        """The findings of this name."""
        return tuple(each for each in self.verdict.findings if each.name is name)

    def the_one(self, name: FindingName) -> Finding:
        """The only finding of this name."""
        [finding] = self.found(name)
        return finding


@dataclass(frozen=True, slots=True)
class Lab:
    """Where runs happen. ``sampled`` has the real sensors read during them; ``on_event`` hears what happens in them."""

    models: Path
    sampled: bool = False
    on_event: Callable[[RunEvent], None] = lambda _: None
    facts: DeviceFacts = field(
        default_factory=lambda: replace(
            gather_device_facts(_ROOT, "lab", {}), last_level_cache_bytes=_EVERYTHING_IN_CACHE
        )
    )

    def run(self, plan: Plan, *, model: str = TINY, engine: str = LLAMA_CPP) -> Recorded:
        """Run a plan to its end."""
        return asyncio.run(self.run_async(plan, model=model, engine=engine))

    async def run_async(self, plan: Plan, *, model: str = TINY, engine: str = LLAMA_CPP) -> Recorded:
        """Run a plan to its end, beside other tasks."""
        events: list[RunEvent] = []
        frames = _Frames()

        def emit(event: RunEvent) -> None:
            events.append(event)
            self.on_event(event)

        with self._sampler(frames) as sampler:
            environment = RunEnvironment(
                run_id=uuid.uuid4().hex,
                facts=self.facts,
                boot_id=_BOOT_ID,
                sampler=sampler,
                emit=emit,
                report=lambda _: None,
                cache_folder=self.models,
            )
            python = sys.executable if engine in (SPOILT_ENGINE, HASTY_ENGINE) else ""
            job = JobCommand(job_id="trap", version=1, plan=plan, model=model, engine=engine, python=python)
            finished = await execute(job, environment)
        assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
        return Recorded(record=_record(events), series=collect_series(frames.telemetry))

    @contextmanager
    def _sampler(self, frames: _Frames) -> Iterator[RunSampler]:
        if not self.sampled:
            yield _NoSampler()
            return
        sampler = Sampler(discover_sensors(_ROOT), frames.add)
        sampler.start()
        try:
            yield sampler
        finally:
            sampler.stop()


def plan_of(*steps: Step, repetitions: int = 3, variants: Mapping[str, Mapping[str, str]] | None = None) -> Plan:
    """A plan of one variant for each name and its options."""
    return Plan(
        name="trap",
        steps=steps,
        repetitions=repetitions,
        variants=tuple(
            Variant(name=name, options={**_ALONE, **options}) for name, options in (variants or {"plain": {}}).items()
        ),
        gates=Gates(idle_cpu_ratio=None),
        limits=Limits(memory_headroom_ratio=0.0),
        rest_seconds=0.05,
    )


def prefill(tokens: int, depth: int = 0) -> Step:
    return Step(kind=StepKind.PREFILL, name=f"prefill {tokens}", prompt_tokens=tokens, depth_tokens=depth)


def decode(tokens: int, depth: int = 0) -> Step:
    return Step(kind=StepKind.DECODE, name=f"decode {tokens} @ {depth}", decode_tokens=tokens, depth_tokens=depth)


def chat(turns: int, prompt: int, tokens: int) -> Step:
    return Step(kind=StepKind.CHAT, name="chat", turns=turns, prompt_tokens=prompt, decode_tokens=tokens)


def fidelity(prompt: int = 96, single: int = 32) -> Step:
    return Step(kind=StepKind.FIDELITY, name="fidelity", prompt_tokens=prompt, decode_tokens=single, top_count=16)


def _record(events: Sequence[RunEvent]) -> RunRecord:
    def all_of(kind: type[T]) -> tuple[T, ...]:
        return tuple(event for event in events if isinstance(event, kind))

    [started] = all_of(RunStarted)
    [finished] = all_of(RunFinished)
    return RunRecord(
        started=started,
        ceilings=all_of(CeilingMeasured),
        peaks=all_of(PeakBandwidth),
        phases=all_of(Phase),
        loaded=all_of(ModelLoaded),
        requests=all_of(Request),
        next_tokens=all_of(NextTokens),
        text_scores=all_of(TextScore),
        variant_memory=all_of(VariantMemory),
        task_answers=all_of(TaskAnswers),
        finished=finished,
    )
