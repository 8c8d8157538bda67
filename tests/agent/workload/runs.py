"""What tests of runs share: an environment that records everything in one list, and plans."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import psutil

from edgeprof.device import DeviceFacts
from edgeprof.job import JobCommand
from edgeprof.plan import Gates, Limits, Plan, Step, StepKind, Variant
from edgeprof.run import Phase, PhaseKind, Progress, RunEvent, RunFinished
from edgeprof.telemetry import Channel
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.sampling.cadence import Cadence
from edgeprof_agent.workload.run import RunEnvironment, execute

OBEDIENT_ENGINE = str(Path(__file__).parent / "obedient_engine.py")
EVERYTHING_IN_CACHE = 1 << 60
"""A last-level cache beside which no buffer is large: memory bandwidth is then not measured, and the run is short."""

T = TypeVar("T")


class RecordingSampler:
    """Notes what a run asks of the sampler."""

    def __init__(self, record: list[object], latest: Mapping[Channel, float]) -> None:
        self._record = record
        self._latest = latest

    def set_cadence(self, cadence: Cadence) -> None:
        self._record.append(cadence)

    def follow_process(self, pid: int | None) -> None:
        self._record.append(("follow", pid))

    def latest(self) -> Mapping[Channel, float]:
        return self._latest

    def flush(self) -> None:
        self._record.append("flush")


class Device:
    """An environment for runs. ``record`` holds events and calls of the sampler in order, ``latest`` what it reads."""

    def __init__(self, folder: Path) -> None:
        self.record: list[object] = []
        self.latest: dict[Channel, float] = {}
        self.progress: list[Progress] = []
        self.commands_file = folder / "commands"
        self.environment = RunEnvironment(
            run_id="run-1",
            facts=device_facts(),
            boot_id=b"0123456789abcdef",
            sampler=RecordingSampler(self.record, self.latest),
            emit=self.record.append,
            report=self.progress.append,
            cache_folder=folder / "cache",
        )

    def with_a_cache_of(self, cache_bytes: int) -> "Device":
        facts = dataclasses.replace(self.environment.facts, last_level_cache_bytes=cache_bytes)
        self.environment = dataclasses.replace(self.environment, facts=facts)
        return self

    def run(self, command: JobCommand) -> RunFinished:
        return asyncio.run(execute(command, self.environment))

    def all(self, kind: type[T]) -> list[T]:
        return [entry for entry in self.record if isinstance(entry, kind)]

    def phases(self, *kinds: PhaseKind) -> list[Phase]:
        return [phase for phase in self.all(Phase) if phase.kind in kinds]

    def events(self) -> list[RunEvent]:
        return [entry for entry in self.record if isinstance(entry, RunEvent)]

    def engine_commands(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.commands_file.read_text(encoding="utf-8").splitlines()]


def device_facts() -> DeviceFacts:
    return DeviceFacts(
        device_id="device-1",
        hostname="device",
        architecture="any",
        physical_cores=2,
        logical_cores=2,
        memory_total_bytes=psutil.virtual_memory().total,
        last_level_cache_bytes=EVERYTHING_IN_CACHE,
        os="any",
        kernel="any",
        agent_version="0",
    )


def plan_of(*behaviours: str, repetitions: int = 2, limits: Limits | None = None) -> Plan:
    """A short plan with one variant for each behaviour of the obedient engine."""
    return Plan(
        name="short",
        steps=(
            Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=32),
            Step(kind=StepKind.DECODE, name="decode", decode_tokens=3, depth_tokens=16),
            Step(kind=StepKind.CHAT, name="chat", prompt_tokens=4, decode_tokens=2, turns=2),
        ),
        repetitions=repetitions,
        variants=tuple(
            Variant(name=f"variant {index}", options={"behaviour": behaviour} if behaviour else {})
            for index, behaviour in enumerate(behaviours or ("",))
        ),
        gates=Gates(idle_cpu_ratio=None),
        limits=limits or Limits(memory_headroom_ratio=0.0),
        rest_seconds=0.01,
    )


def job(plan: Plan, model: str, engine: str = OBEDIENT_ENGINE) -> JobCommand:
    python = sys.executable if engine == OBEDIENT_ENGINE else ""
    return JobCommand(job_id="job-1", version=1, plan=plan, model=model, engine=engine, python=python)


def write_tiny_model(folder: Path) -> str:
    return asyncio.run(prepare_model("synth:tiny@q8_0", folder, lambda _: None)).path
