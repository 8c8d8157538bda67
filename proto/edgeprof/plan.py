"""A plan: what a run does, as data. People write it as TOML (`plan_file`); it travels as a message."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from msgspec import Meta

from edgeprof.task_set import TASK_CONTEXT_TOKENS

Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Ratio = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]

# So that what a fidelity step keeps fits one message of an engine, and is some kilobytes in the store.
MOST_TOP_COUNT = 64
MOST_KEPT_TOKENS = 16384
DEFAULT_TOP_COUNT = 16

# Half of a window is context alone, and its last token foresees none: of fewer tokens none would be scored.
LEAST_WINDOW_TOKENS = 3
MOST_WINDOWS = 1024
DEFAULT_WINDOWS = 16

# Of fewer tasks hardly any loss could be shown; more of a kind are not all different.
LEAST_TASKS = 10
MOST_TASKS = 200
DEFAULT_TASKS = 100


class StepKind(str, Enum):
    """What a step asks of the engine."""

    PREFILL = "prefill"
    DECODE = "decode"
    CHAT = "chat"
    FIDELITY = "fidelity"
    PARALLEL = "parallel"
    ROWS = "rows"
    PERPLEXITY = "perplexity"
    TASKS = "tasks"

    @property
    def is_timed(self) -> bool:
        """Whether it measures speed, and so is repeated; what a model answers is the same each time."""
        return self not in (StepKind.FIDELITY, StepKind.PERPLEXITY, StepKind.TASKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of work, timed in every repetition.

    A prefill step processes ``prompt_tokens`` after ``depth_tokens`` of context. A decode step feeds
    ``decode_tokens`` fixed tokens one at a time after ``depth_tokens``. A chat step has ``turns``; each adds
    ``prompt_tokens`` to the conversation and generates ``decode_tokens``. A parallel step decodes ``decode_tokens``
    of each of ``sequences`` together, each after ``depth_tokens`` of its own. A rows step feeds ``decode_tokens``
    fixed tokens, ``rows`` in each call. A fidelity step processes ``prompt_tokens`` together and ``decode_tokens``
    one at a time, and keeps after each of them the ``top_count`` likeliest next tokens, to be held against those of
    another variant or run. A perplexity step reads the file ``text`` in at most ``windows`` windows of
    ``prompt_tokens``, each from an empty context, and scores how well the second half of each is foreseen. A tasks step
    asks the model ``tasks`` questions of the `task_set`, each in an empty context. An ``optional`` step is left out
    where the engine, or the model, cannot do it.
    """

    kind: StepKind
    name: str = ""
    prompt_tokens: Count = 0
    depth_tokens: Count = 0
    decode_tokens: Count = 0
    turns: Positive = 1
    top_count: Annotated[int, Meta(ge=0, le=MOST_TOP_COUNT)] = 0
    sequences: Count = 0
    rows: Count = 0
    optional: bool = False
    text: str = ""
    windows: Annotated[int, Meta(ge=0, le=MOST_WINDOWS)] = 0
    tasks: Annotated[int, Meta(ge=0, le=MOST_TASKS)] = 0

    @property
    def context_tokens(self) -> int:
        """Tokens of context that the step fills when it is complete; of a parallel one, in each sequence."""
        if self.kind is StepKind.TASKS:
            return TASK_CONTEXT_TOKENS
        return self.depth_tokens + self.turns * (self.prompt_tokens + self.decode_tokens)

    @property
    def request_count(self) -> int:
        """Requests that the step consists of: one for each turn of a chat, one for each sequence."""
        return max(self.turns, self.sequences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A set of engine options. The variants of a plan are interleaved within each repetition.

    ``python`` is the interpreter whose engine is taken, so that two versions of one can be compared; empty, the job's.
    """

    name: Name
    options: dict[str, str] = field(default_factory=dict)
    python: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """How long a run goes on once it has done the plan's ``repetitions``: until all that is given here is so.

    ``interval_ratio``: the 95 % interval of every step's rate is no wider than this share of its median.
    ``settled_seconds``: neither rates nor the temperature have moved any more for so long. Whatever is so, no
    repetition begins beyond ``most_repetitions``, or ``most_seconds`` after the first one began.
    """

    interval_ratio: Annotated[float, Meta(gt=0, le=1)] | None = None
    settled_seconds: Annotated[float, Meta(gt=0)] | None = None
    most_repetitions: Positive = 30
    most_seconds: Annotated[float, Meta(gt=0)] = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What a run waits for before its first step, no longer than ``wait_seconds``."""

    start_temperature_celsius: float | None = None
    idle_cpu_ratio: Ratio | None = 0.2
    wait_seconds: Seconds = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What ends a run early. ``memory_headroom_ratio`` is the share of memory that must stay free."""

    time_seconds: Annotated[float, Meta(gt=0)] = 1800.0
    temperature_celsius: float | None = None
    memory_headroom_ratio: Ratio = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps, how often, with which variants, behind which gates and within which limits.

    Every step of every variant is repeated ``repetitions`` times, and more often if ``until`` is given. With
    ``fresh_processes`` each repetition begins with new processes, which load the model and warm up: what processes of
    the same program differ in for as long as they live then varies between the repetitions.
    """

    name: Name
    steps: tuple[Step, ...]
    description: str = ""
    repetitions: Positive = 5
    until: Until | None = None
    variants: tuple[Variant, ...] = (Variant(name="default"),)
    gates: Gates = field(default_factory=Gates)
    limits: Limits = field(default_factory=Limits)
    seed: Count = 1
    rest_seconds: Seconds = 1.0
    fresh_processes: bool = False

    @property
    def context_tokens(self) -> int:
        """Context that the largest step needs in one sequence."""
        return max(step.context_tokens for step in self.steps)

    @property
    def cache_tokens(self) -> int:
        """Tokens that all caches hold: one sequence of the largest step, and the sequences of parallel steps."""
        parallel = [step for step in self.steps if step.sequences]
        sequences = max((step.sequences for step in parallel), default=0)
        return self.context_tokens + sequences * max((step.context_tokens for step in parallel), default=0)
