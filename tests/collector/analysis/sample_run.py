"""Runs whose truth is known: records and telemetry built from rates, powers and memory that tests can ask for."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from edgeprof.device import Accelerator, DeviceFacts
from edgeprof.plan import Plan, Step, StepKind, Variant
from edgeprof.plan_file import built_in_plan
from edgeprof.run import (
    CeilingMeasured,
    EngineFacts,
    ModelFacts,
    ModelLoaded,
    OptionSet,
    Phase,
    PhaseKind,
    Request,
    RunFinished,
    RunRecord,
    RunStarted,
    RunState,
    StepRef,
)
from edgeprof.v1.telemetry_pb2 import RunTelemetry

from .sample_telemetry import Load, Probes, sample_telemetry

SECOND_NS = 1_000_000_000
RUN_ID = "01JQ7Z2M4T8W3N6P5R9S1V0X2Y"
START_NS = 5_000 * SECOND_NS

DEVICE = DeviceFacts(
    device_id="0d1f7c1e9a",
    hostname="bench-03",
    architecture="x86_64",
    logical_cores=4,
    physical_cores=4,
    memory_total_bytes=16 * 2**30,
    os="Debian GNU/Linux 12",
    kernel="6.1.0-28-amd64",
    agent_version="0.1.0",
    board="ThinkCentre M75q",
    cpu_model="AMD Ryzen 5 PRO 4650GE",
    last_level_cache_bytes=8 * 2**20,
    governor="schedutil",
    power_source="mains",
)
GPU = Accelerator(name="gpu0", product="NVIDIA RTX A2000", vendor="nvidia", memory_total_bytes=6 * 2**30)
MODEL = ModelFacts(
    name="synth:llama-3.2-1b@q4_0",
    path="/var/cache/edgeprof/llama-3.2-1b-q4_0.gguf",
    format="gguf",
    synthetic=True,
    architecture="llama",
    quantisation="Q4_0",
    parameter_count=1_235_814_432,
    file_bytes=770_928_640,
    sha256="5f0c" * 16,
    layer_count=16,
    embedding_length=2048,
    vocabulary_size=128_256,
    context_length=131_072,
    kv_elements_per_token=16_384,
    weight_bytes_read_per_token=700_000_000,
    tensor_bytes_by_type={"q4_0": 547_356_672, "q6_k": 215_470_080, "f32": 270_336},
)
OPTIONS = {
    "threads": "4",
    "batch": "2048",
    "micro_batch": "512",
    "flash_attention": "on",
    "cache_type_k": "f16",
    "cache_type_v": "f16",
    "gpu_layers": "0",
}
QUICK = built_in_plan("quick")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is true of a run. Each repetition's rates are multiplied by its factor in ``factors``."""

    plan: Plan = QUICK
    device: DeviceFacts = DEVICE
    model: ModelFacts = MODEL
    options: dict[str, str] = field(default_factory=lambda: dict(OPTIONS))
    prefill_rate: float = 180.0
    decode_rate: float = 24.0
    depth_of_half_rate: float = 4096.0
    factors: Sequence[float] = (1.0, 0.99, 1.01, 0.985, 1.015)
    variant_factors: Sequence[float] = (1.0, 1.2)
    jitter: float = 0.02
    prefix_reused: bool = True
    page_cache_ratio: float | None = 1.0
    read_bytes_per_second: float = 28e9
    peak_resident_bytes: int = 1_150 * 2**20
    prefill_watts: float = 36.0
    decode_watts: float = 24.0
    idle_watts: float = 6.0
    energy: bool = True
    background_cpu_ratio: float = 0.01
    hertz: int = 10
    state: RunState | None = RunState.SUCCEEDED
    cause: str = ""
    requests_kept: int | None = None

    def decode_rate_at(self, depth_tokens: int) -> float:
        """The true rate after so many tokens of context."""
        return self.decode_rate / (1 + depth_tokens / self.depth_of_half_rate)


class _Timeline:
    """Lets time pass, and remembers what the machine did meanwhile."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.now_ns = START_NS
        self.loads: list[Load] = []
        self.phases: list[Phase] = []
        self.requests: list[Request] = []

    def pass_time(self, duration_ns: int, watts: float, busy_ratio: float, resident_bytes: int) -> None:
        end_ns = self.now_ns + duration_ns
        self.loads.append(Load(self.now_ns, end_ns, watts, busy_ratio, resident_bytes))
        self.now_ns = end_ns

    def phase(self, kind: PhaseKind, seconds: float, busy_ratio: float = 0.0, note: str = "") -> None:
        start_ns = self.now_ns
        resident_bytes = (
            0 if kind in (PhaseKind.GATE, PhaseKind.CEILING) else self.scenario.peak_resident_bytes * 9 // 10
        )
        watts = self.scenario.idle_watts + busy_ratio * (self.scenario.decode_watts - self.scenario.idle_watts)
        self.pass_time(round(seconds * SECOND_NS), watts, busy_ratio, resident_bytes)
        self.phases.append(
            Phase(run_id=RUN_ID, kind=kind, start_monotonic_ns=start_ns, end_monotonic_ns=self.now_ns, note=note)
        )


def sample_record(scenario: Scenario = Scenario()) -> RunRecord:
    """The record of a run in which ``scenario`` is true."""
    return _play(scenario)[0]


def sample_run(scenario: Scenario = Scenario(), probes: Probes | None = None) -> tuple[RunRecord, RunTelemetry]:
    """A run in which ``scenario`` is true, and its telemetry: of a PC, or of ``probes``."""
    record, timeline = _play(scenario)
    telemetry = sample_telemetry(
        timeline.loads,
        run_id=RUN_ID,
        hertz=scenario.hertz,
        cores=scenario.device.logical_cores,
        memory_total_bytes=scenario.device.memory_total_bytes,
        background_cpu_ratio=scenario.background_cpu_ratio,
        energy=scenario.energy,
        gpus=[each.name for each in scenario.device.accelerators],
        probes_of=probes,
    )
    return record, telemetry


def _play(scenario: Scenario) -> tuple[RunRecord, _Timeline]:
    timeline = _Timeline(scenario)
    plan = scenario.plan
    timeline.phase(PhaseKind.GATE, 1.0, note="waited 1.0 s for idle cores; got 2 % busy")
    timeline.phase(PhaseKind.CEILING, 2.5, busy_ratio=1.0)
    timeline.phase(PhaseKind.LOAD, 0.8, busy_ratio=0.4)
    timeline.phase(PhaseKind.WARM_UP, 2.0, busy_ratio=1.0)
    for repetition in range(plan.repetitions):
        for index, step in enumerate(plan.steps):
            for variant in range(len(plan.variants)):
                timeline.phase(PhaseKind.REST, plan.rest_seconds)
                _play_step(timeline, step, StepRef(step=index, variant=variant, repetition=repetition))
    timeline.phase(PhaseKind.UNLOAD, 0.2)
    requests = tuple(timeline.requests[: scenario.requests_kept])
    cut_ns = requests[-1].end_monotonic_ns if scenario.requests_kept else timeline.now_ns
    return RunRecord(
        started=_started(scenario),
        ceilings=(_ceiling(scenario),) if scenario.read_bytes_per_second else (),
        phases=tuple(phase for phase in timeline.phases if phase.end_monotonic_ns <= cut_ns),
        loaded=tuple(_loaded(scenario, variant) for variant in range(len(plan.variants))),
        requests=requests,
        finished=None
        if scenario.state is None
        else RunFinished(
            run_id=RUN_ID,
            state=scenario.state,
            monotonic_ns=cut_ns,
            cause=scenario.cause,
            peak_resident_bytes=scenario.peak_resident_bytes,
        ),
    ), timeline


def _play_step(timeline: _Timeline, step: Step, reference: StepRef) -> None:
    start_ns = timeline.now_ns
    scenario = timeline.scenario
    factor = (
        scenario.factors[reference.repetition % len(scenario.factors)] * scenario.variant_factors[reference.variant]
    )
    fill_ns = round(step.depth_tokens * SECOND_NS / scenario.prefill_rate)
    timeline.pass_time(fill_ns, scenario.prefill_watts, 0.98, scenario.peak_resident_bytes)
    history = 0
    for turn in range(step.turns):
        reused = history if scenario.prefix_reused else 0
        prompt = history + step.prompt_tokens if step.prompt_tokens else 0
        request_ns = timeline.now_ns
        processed = prompt - reused
        prefill_ns = round(processed * SECOND_NS / (scenario.prefill_rate * factor))
        timeline.pass_time(prefill_ns, scenario.prefill_watts, 0.98, scenario.peak_resident_bytes)
        rate = scenario.decode_rate_at(step.depth_tokens) * factor
        gaps = list(_gaps(step, prefill_ns, rate, scenario.jitter, f"{reference}{turn}"))
        timeline.pass_time(
            sum(gaps) - (prefill_ns if gaps else 0), scenario.decode_watts, 0.9, scenario.peak_resident_bytes
        )
        timeline.requests.append(
            Request(
                run_id=RUN_ID,
                step=reference,
                index=turn,
                prompt_tokens=prompt,
                reused_tokens=reused,
                depth_tokens=step.depth_tokens,
                start_monotonic_ns=request_ns,
                prefill_end_monotonic_ns=request_ns + prefill_ns if prompt else 0,
                token_gaps_ns=tuple(gaps),
                end_monotonic_ns=timeline.now_ns,
            )
        )
        history += step.prompt_tokens + step.decode_tokens
    timeline.phases.append(
        Phase(
            run_id=RUN_ID,
            kind=PhaseKind.STEP,
            step=reference,
            start_monotonic_ns=start_ns,
            end_monotonic_ns=timeline.now_ns,
        )
    )


def _gaps(step: Step, prefill_ns: int, rate: float, jitter: float, seed: str) -> Iterator[int]:
    """Token gaps with noise, whose sum after the first is exactly that of ``rate``."""
    count = step.decode_tokens
    if not count:
        return
    yield prefill_ns if step.kind is StepKind.CHAT else round(SECOND_NS / rate)
    noise = random.Random(seed)
    weights = [1 + abs(noise.gauss(0, jitter)) + (0.4 if noise.random() < 0.01 else 0) for _ in range(count - 1)]
    total_ns = round((count - 1) * SECOND_NS / rate)
    gaps = [int(total_ns * weight / sum(weights)) for weight in weights]
    if gaps:
        gaps[-1] += total_ns - sum(gaps)
    yield from gaps


def _started(scenario: Scenario) -> RunStarted:
    return RunStarted(
        run_id=RUN_ID,
        plan=scenario.plan,
        model=scenario.model,
        engine=EngineFacts(
            name="llama-cpp-python",
            version="0.3.36",
            build="CPU : SSE3 = 1 | SSSE3 = 1 | AVX = 1 | AVX2 = 1 | F16C = 1 | FMA = 1 | REPACK = 1",
            python_version="3.11.2",
            options=tuple(OptionSet(options=each.options) for each in scenario.plan.variants),
        ),
        device=scenario.device,
        boot_id=bytes(range(16)),
        monotonic_ns=START_NS,
        wall_ns=1_753_000_000 * SECOND_NS,
    )


def _ceiling(scenario: Scenario) -> CeilingMeasured:
    return CeilingMeasured(
        run_id=RUN_ID,
        processor="cpu",
        read_kernel="memchr",
        read_threads=4,
        read_bytes_per_second=scenario.read_bytes_per_second,
        copy_kernel="memmove",
        copy_threads=2,
        copy_bytes_per_second=scenario.read_bytes_per_second * 0.85,
    )


def _loaded(scenario: Scenario, variant: int) -> ModelLoaded:
    return ModelLoaded(
        run_id=RUN_ID,
        variant=variant,
        load_seconds=0.8,
        page_cache_ratio=scenario.page_cache_ratio,
        weights_bytes=735 * 2**20,
        kv_cache_bytes=24 * 2**20,
        compute_bytes=254 * 2**20,
        options={**scenario.options, **scenario.plan.variants[variant].options},
    )


def with_repetitions(plan: Plan, repetitions: int) -> Plan:
    """The plan, repeated so often."""
    return replace(plan, repetitions=repetitions)


TWO_VARIANTS = replace(
    QUICK,
    name="kv-types",
    variants=(Variant(name="f16"), Variant(name="q8_0", options={"cache_type_k": "q8_0", "cache_type_v": "q8_0"})),
)
