"""What the analysis says of a run: figures with their spread, conditions and flags. Plain values, ready for JSON.

Every figure that could not be had is named too, with the reason, as an ``AbsentFigure``.
"""

from dataclasses import dataclass, field
from enum import Enum

from edgeprof.device import DeviceFacts
from edgeprof.plan import StepKind
from edgeprof.run import CeilingMeasured, EngineFacts, ModelFacts, PeakBandwidth, RunState
from edgeprof_collector.analysis.fidelity import FidelityVerdict
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.perplexity import PerplexityVerdict
from edgeprof_collector.analysis.task_answers import TasksVerdict


class FigureName(str, Enum):
    """What a figure measures, the unit last. ``definitions.py`` has the formula of each."""

    PREFILL_RATE = "prefill_tokens_per_second"
    DECODE_RATE = "decode_tokens_per_second"
    AGGREGATE_RATE = "aggregate_decode_tokens_per_second"
    TTFT = "ttft_seconds"
    ITL = "itl_seconds"
    CALL_TIME = "call_seconds"
    ROW_TIME = "row_seconds"
    E2E_LATENCY = "e2e_latency_seconds"
    LOAD_TIME = "load_seconds"
    PREFILL_ENERGY = "prefill_energy_joules_per_token"
    DECODE_ENERGY = "decode_energy_joules_per_token"
    ACHIEVED_BANDWIDTH = "achieved_bandwidth_bytes_per_second"
    MBU = "mbu_ratio"


class Flag(str, Enum):
    """What may have shaped a figure. Flagged repetitions are kept and shown."""

    SYNTHETIC = "synthetic"
    CONTENDED = "contended"
    THROTTLED = "throttled"
    DRIFTING = "drifting"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedFlag:
    """A flag with its evidence in numbers, one line."""

    flag: Flag
    evidence: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval, both ends in the unit of the figure that it belongs to."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What one repetition gave, in the figure's unit. ``repetition`` is an index into the plan's repetitions."""

    repetition: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number over repetitions.

    ``interval`` is that of the median, ``None`` with fewer than five samples. ``turn`` is the index of a chat's
    turn; ``None`` when the figure covers the whole step. ``scope`` says what the figure covers where its name
    leaves that open: the rail of an energy, the processor of an MBU, the page cache of a load. ``formula`` is its own
    where it was not got in the usual way.
    """

    name: FigureName
    unit: str
    formula: str
    turn: int | None = None
    scope: str = ""
    n: int
    median: float
    first_quartile: float
    third_quartile: float
    interval: Interval | None
    samples: tuple[Sample, ...]
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentFigure:
    """A figure that this run cannot give, and why."""

    name: FigureName
    reason: str
    turn: int | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A percentile of pooled token gaps. ``interval`` is ``None`` with fewer than five repetitions."""

    ratio: float
    seconds: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenGaps:
    """The gaps between consecutive tokens, pooled over repetitions. A percentile that too few gaps bear is absent."""

    gap_count: int
    percentiles: tuple[Percentile, ...]
    longest_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a repetition was taken at, over its time; ``None`` where no sensor tells.

    ``temperature_celsius`` is the mean of ``temperature_place``, the hottest place; ``cpu_clock_hertz`` the median
    of the fastest core, ``gpu_clock_hertz`` that of the GPU that ran the model, or else of the fastest;
    ``background_cpu_ratio`` the share of all cores' time that neither the workload nor the agent took. ``power_watts``
    is the mean of ``power_scope``, the meter that counts the most; ``memory_traffic_bytes_per_second`` that of
    ``memory_traffic_source``, and ``memory_traffic_missing`` says why there is none though there is a source.
    """

    temperature_celsius: float | None = None
    temperature_place: str = ""
    cpu_clock_hertz: float | None = None
    gpu_clock_hertz: float | None = None
    background_cpu_ratio: float | None = None
    power_watts: float | None = None
    power_scope: str = ""
    memory_traffic_bytes_per_second: float | None = None
    memory_traffic_source: str = ""
    memory_traffic_missing: str = ""
    major_page_fault_count: int | None = None


class ThrottleReason(str, Enum):
    """Why a clock was held back against its owner's wish."""

    POWER = "power"
    THERMAL = "thermal"
    CURRENT = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """What held a part of the device back in a repetition, as its kernel, driver or firmware tells.

    ``seconds`` is ``None`` where only events are counted, ``event_count`` where only time is.
    """

    place: str
    reason: ThrottleReason
    seconds: float | None = None
    event_count: int | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """One repetition of a step: when, at what conditions, held back by what, with which flags.

    ``complete`` is false where the run was cut before all of its requests were done.
    """

    index: int
    start_monotonic_ns: int
    end_monotonic_ns: int
    complete: bool
    conditions: Conditions
    throttling: tuple[Throttling, ...] = ()
    flags: tuple[RaisedFlag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """A rate at both ends of sustained load: medians and mean temperatures over ``window_seconds`` each.

    ``settled`` is whether the run ended because neither rates nor temperature moved any more, before its bounds.
    """

    figure: FigureName
    span_seconds: float
    window_seconds: float
    first_rate: float
    last_rate: float
    first_celsius: float | None
    last_celsius: float | None
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """One step of one variant. ``step`` and ``variant`` are indices into the plan.

    ``processor`` is what ran the model: ``cpu`` or an accelerator's name, ``None`` if it cannot be told or was several.
    """

    step: int
    variant: int
    name: str
    variant_name: str
    kind: StepKind
    prompt_tokens: int
    depth_tokens: int
    decode_tokens: int
    turns: int
    sequences: int = 0
    rows: int = 0
    processor: str | None = None
    repetitions: tuple[Repetition, ...]
    figures: tuple[Figure, ...]
    absent: tuple[AbsentFigure, ...] = ()
    token_gaps: TokenGaps | None = None
    sustained: Sustained | None = None
    flags: tuple[RaisedFlag, ...] = ()

    def figure(self, name: FigureName, turn: int | None = None) -> Figure | None:
        """The first figure of this name and turn; ``None`` if the step has none."""
        return next((figure for figure in self.figures if (figure.name, figure.turn) == (name, turn)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantVerdict:
    """A variant's loads, the options in force, and what the engine says of its memory, ``None`` where it does not.

    ``peak_resident_bytes`` is the kernel's high-water mark of the processes that ran this variant and no other, the
    highest of them; ``None`` if it shared its process. ``peak_device_bytes`` are then the highest samples of their
    device memory, by GPU.
    """

    variant: int
    name: str
    loads: tuple[Figure, ...]
    options: dict[str, str] = field(default_factory=dict)
    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None
    compute_bytes: int | None = None
    peak_resident_bytes: int | None = None
    peak_device_bytes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMemory:
    """Memory of one GPU: the highest use seen in the run, and the use before the model was loaded."""

    gpu: str
    peak_used_bytes: int
    used_before_bytes: int | None
    total_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryVerdict:
    """Memory of the workload's process. ``None`` where nothing tells.

    ``peak_source`` says who gave ``peak_resident_bytes``: the kernel's high-water mark, or the highest sample.
    ``file_backed_bytes`` and ``anonymous_bytes`` are the highest samples of each, not of one moment.
    """

    total_bytes: int
    peak_resident_bytes: int | None = None
    peak_source: str = ""
    file_backed_bytes: int | None = None
    anonymous_bytes: int | None = None
    lowest_available_bytes: int | None = None
    headroom_ratio: float | None = None
    devices: tuple[DeviceMemory, ...] = ()


class EnergyMethod(str, Enum):
    """How joules come about: by a counter's difference, or by integrating a gauge of power."""

    COUNTER = "counter"
    INTEGRATED = "integrated"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyRail:
    """A source of joules that covered the run.

    ``refresh_seconds`` is how often its value was seen to change, or the time that it averages over, if longer.
    ``idle_watts`` is its mean power before the model was loaded, or else between steps.
    """

    scope: str
    source: str
    method: EnergyMethod = EnergyMethod.COUNTER
    refresh_seconds: float
    run_joules: float | None
    idle_watts: float | None = None


class Severity(str, Enum):
    """How much a finding weighs. ``INVALID`` means that a figure must not be believed."""

    NOTE = "note"
    WARNING = "warning"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A cause that the run shows: the evidence in numbers, and what to do about it."""

    name: FindingName
    severity: Severity
    title: str
    evidence: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that the analysis says of one run. ``steps`` are in the plan's order, variants side by side.

    ``energy_rails`` begin with the one that counted the most, and so do a step's energies.
    ``state`` is ``RunState.RUNNING`` for a run that never ended; ``cause`` says why one did not succeed.
    ``throttle_sources`` are the places that tell when they are held back. ``notes`` are what a reader must know of the
    data itself, such as lost telemetry.
    """

    run_id: str
    state: RunState
    cause: str
    headline: str
    plan_name: str
    repetition_count: int
    wall_ns: int
    duration_seconds: float
    device: DeviceFacts
    model: ModelFacts
    engine: EngineFacts
    variants: tuple[VariantVerdict, ...]
    steps: tuple[StepVerdict, ...]
    memory: MemoryVerdict
    ceilings: tuple[CeilingMeasured, ...]
    energy_rails: tuple[EnergyRail, ...]
    throttle_sources: tuple[str, ...] = ()
    peaks: tuple[PeakBandwidth, ...] = ()
    fidelity: tuple[FidelityVerdict, ...] = ()
    perplexity: tuple[PerplexityVerdict, ...] = ()
    tasks: tuple[TasksVerdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()
