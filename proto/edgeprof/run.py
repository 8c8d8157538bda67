"""What happened in a run. Times are the device's monotonic nanoseconds within one boot."""

from dataclasses import dataclass, field
from enum import Enum

from edgeprof.device import DeviceFacts
from edgeprof.plan import Plan
from edgeprof.task_set import TaskKind
from edgeprof.telemetry import Gap, Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A model file, described without loading it.

    ``kv_elements_per_token`` counts key and value elements together, over all layers.
    ``weight_bytes_read_per_token`` is what an ideal engine reads to decode one token: the weights it uses
    (of experts, the active ones), embedding rows that are not touched left out, a tied embedding counted as
    the output matrix.
    """

    name: str
    path: str
    format: str
    synthetic: bool
    architecture: str
    quantisation: str
    parameter_count: int
    file_bytes: int
    sha256: str
    layer_count: int
    embedding_length: int
    vocabulary_size: int
    context_length: int
    kv_elements_per_token: int
    weight_bytes_read_per_token: int
    expert_count: int = 0
    expert_used_count: int = 0
    tensor_bytes_by_type: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSet:
    """Engine options, defaults included."""

    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """An engine: its version, its build, and for each variant of the plan the options asked for, others at defaults.

    ``variant_versions`` has the engine's version in each variant, where variants have interpreters of their own; the
    other fields are then those of the first.
    """

    name: str
    version: str
    build: str
    python_version: str = ""
    options: tuple[OptionSet, ...] = ()
    variant_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins. ``boot_id`` is the kernel's, 16 bytes; ``slept_ns`` is what ``monotonic_ns`` leaves out.

    ``plan`` is what is run: without the optional steps that the engine cannot run, whose names are ``left_out_steps``,
    and without those that the model cannot do, ``unanswerable_steps``: tasks, of a synthetic one.
    """

    run_id: str
    plan: Plan
    model: ModelFacts
    engine: EngineFacts
    device: DeviceFacts
    boot_id: bytes
    monotonic_ns: int
    wall_ns: int
    job_id: str = ""
    slept_ns: int = 0
    left_out_steps: tuple[str, ...] = ()
    unanswerable_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingMeasured:
    """Peak memory bandwidth of one processor, measured outside the engine.

    ``copy_bytes_per_second`` counts the bytes read and the bytes written.
    """

    run_id: str
    processor: str
    read_kernel: str
    read_threads: int
    read_bytes_per_second: float
    copy_kernel: str
    copy_threads: int
    copy_bytes_per_second: float


class PeakMethod(str, Enum):
    """How a peak is known otherwise than by measuring: clock times width, or what the maker says of the product."""

    COMPUTED = "computed"
    SPECIFIED = "specified"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakBandwidth:
    """Peak memory bandwidth of one processor, ``cpu`` or an accelerator's name, known otherwise than by measuring.

    ``source`` is what it was computed from, or the product that it was specified for.
    """

    run_id: str
    processor: str
    method: PeakMethod
    bytes_per_second: float
    source: str


class PhaseKind(str, Enum):
    """What a stretch of a run is spent on. ``PREPARE`` is before the run begins, and only progress tells of it."""

    GATE = "gate"
    CEILING = "ceiling"
    LOAD = "load"
    WARM_UP = "warm_up"
    REST = "rest"
    STEP = "step"
    UNLOAD = "unload"
    PREPARE = "prepare"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class StepRef:
    """Which repetition of which step of which variant: indices into the plan."""

    step: int
    variant: int
    repetition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of a run. ``step`` is present for ``PhaseKind.STEP`` and for a variant's load and warm-up."""

    run_id: str
    kind: PhaseKind
    start_monotonic_ns: int
    end_monotonic_ns: int
    step: StepRef | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLoaded:
    """What the engine says when a variant has loaded: of its memory, ``None`` where it does not tell, and its options.

    ``options`` are those in force: what was left to the engine is decided by then.
    """

    run_id: str
    variant: int
    load_seconds: float
    page_cache_ratio: float | None = None
    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None
    compute_bytes: int | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the engine, with every time that it gave.

    ``prefill_end_monotonic_ns`` is 0 when the request processes no prompt. ``token_gaps_ns`` are the times
    of the token events, each as the difference to the event before it, the first to the start.
    ``token_counts`` are the tokens of each event; empty means one each. ``owner`` is the repetition it belongs
    to, or the identity of a window in which a deployed server was observed.
    """

    run_id: str
    step: StepRef | None = None
    window_id: str | None = None
    index: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    depth_tokens: int = 0
    start_monotonic_ns: int
    prefill_end_monotonic_ns: int = 0
    token_gaps_ns: tuple[int, ...] = ()
    token_counts: tuple[int, ...] = ()
    end_monotonic_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTokens:
    """What the engine held for the likeliest next tokens after each token that a fidelity step processed.

    The distributions stand one after another, each of ``top_count`` tokens, the likeliest first; probabilities are
    natural logarithms, and what they lack in a distribution to 1 is shared by all other tokens.
    """

    run_id: str
    step: StepRef
    top_count: int
    token_ids: tuple[int, ...]
    log_probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScore:
    """How well the model foresaw the text of a perplexity step.

    ``window_nats`` has for each window the mean negative natural logarithm of the probability of each token that is
    scored; of a window of n tokens these are the last n - 1 - n // 2. ``text_sha256`` is that of the whole text.
    """

    run_id: str
    step: StepRef
    text_sha256: str
    window_nats: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantMemory:
    """The high-water mark of resident memory of a process that has loaded one variant, and until then no other.

    Its descendants are included, each with its own mark. It was read when the process unloaded the variant, after
    ``repetition``.
    """

    run_id: str
    variant: int
    repetition: int
    peak_resident_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAnswer:
    """What the model wrote after a task's prompt, whose last line is ``question``: the beginning of it."""

    kind: TaskKind
    question: str
    expected: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAnswers:
    """All that a tasks step was answered. ``prompts_sha256`` is of what was asked, `task_set.prompts_sha256`.

    ``set_version`` is the version of the set of tasks, which says how an answer is read.
    """

    run_id: str
    step: StepRef
    set_version: int
    prompts_sha256: str
    answers: tuple[TaskAnswer, ...]


class RunState(str, Enum):
    """How a run stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run has ended. ``cause`` is one line for a person, empty when nothing went wrong.

    ``monotonic_ns`` is ``None`` when nobody saw the end: the agent itself ended, and told of it when it was back.
    """

    run_id: str
    state: RunState
    monotonic_ns: int | None
    cause: str = ""
    peak_resident_bytes: int | None = None


RunEvent = (
    RunStarted
    | CeilingMeasured
    | PeakBandwidth
    | Phase
    | ModelLoaded
    | Request
    | NextTokens
    | TextScore
    | VariantMemory
    | TaskAnswers
    | RunFinished
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as it is stored: its events by kind, each in the order of time, and what was lost on the way.

    ``placement`` tells how its times were placed on the wall clock: as the least sure of them was.
    ``finished`` is ``None`` while the run goes on, or for ever when its device never came back.
    """

    started: RunStarted
    ceilings: tuple[CeilingMeasured, ...] = ()
    peaks: tuple[PeakBandwidth, ...] = ()
    phases: tuple[Phase, ...] = ()
    loaded: tuple[ModelLoaded, ...] = ()
    requests: tuple[Request, ...] = ()
    next_tokens: tuple[NextTokens, ...] = ()
    text_scores: tuple[TextScore, ...] = ()
    variant_memory: tuple[VariantMemory, ...] = ()
    task_answers: tuple[TaskAnswers, ...] = ()
    finished: RunFinished | None = None
    gaps: tuple[Gap, ...] = ()
    placement: Placement = Placement.EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands now. Only the latest counts."""

    run_id: str
    phase: PhaseKind
    done_ratio: float
    elapsed_seconds: float
    remaining_seconds: float
    job_id: str = ""
    step: str = ""
    repetition: int = 0
    repetition_count: int = 0
    tokens_per_second: float | None = None
    temperature_celsius: float | None = None
    resident_bytes: int | None = None
