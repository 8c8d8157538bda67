"""A plan: what a run does, as data. People write it as TOML; it travels as a message."""

from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from edgeprof.errors import ConfigError, EdgeprofError
from edgeprof.toml_reader import read_toml

# Not by importlib.resources, which costs the agent 1.4 MB of memory.
_FOLDER = Path(__file__).parent / "plans"

Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Ratio = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]

# So that what a fidelity step keeps fits one message of an engine, and is some kilobytes in the store.
MOST_TOP_COUNT = 64
MOST_KEPT_TOKENS = 16384
DEFAULT_TOP_COUNT = 16


class StepKind(str, Enum):
    """What a step asks of the engine."""

    PREFILL = "prefill"
    DECODE = "decode"
    CHAT = "chat"
    FIDELITY = "fidelity"

    @property
    def is_timed(self) -> bool:
        """Whether it measures speed, and so is repeated; what a model answers is the same each time."""
        return self is not StepKind.FIDELITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of work, timed in every repetition.

    A prefill step processes ``prompt_tokens`` after ``depth_tokens`` of context. A decode step feeds
    ``decode_tokens`` fixed tokens one at a time after ``depth_tokens``. A chat step has ``turns``; each
    adds ``prompt_tokens`` to the conversation and generates ``decode_tokens``. A fidelity step processes
    ``prompt_tokens`` together and ``decode_tokens`` one at a time, and keeps after each of them the ``top_count``
    likeliest next tokens, to be held against those of another variant or run.
    """

    kind: StepKind
    name: str = ""
    prompt_tokens: Count = 0
    depth_tokens: Count = 0
    decode_tokens: Count = 0
    turns: Positive = 1
    top_count: Annotated[int, Meta(ge=0, le=MOST_TOP_COUNT)] = 0

    @property
    def context_tokens(self) -> int:
        """Tokens of context that the step fills when it is complete."""
        return self.depth_tokens + self.turns * (self.prompt_tokens + self.decode_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A set of engine options. The variants of a plan are interleaved within each repetition.

    ``python`` is the interpreter whose engine is taken, so that two versions of one can be compared; empty, the job's.
    """

    name: Name
    options: dict[str, str] = field(default_factory=dict)
    python: str = ""


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
    """Steps, how often, with which variants, behind which gates and within which limits."""

    name: Name
    steps: tuple[Step, ...]
    description: str = ""
    repetitions: Positive = 5
    variants: tuple[Variant, ...] = (Variant(name="default"),)
    gates: Gates = field(default_factory=Gates)
    limits: Limits = field(default_factory=Limits)
    seed: Count = 1
    rest_seconds: Seconds = 1.0

    @property
    def context_tokens(self) -> int:
        """Context that the largest step needs."""
        return max(step.context_tokens for step in self.steps)


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file.

    Raises:
        ConfigError: a key is unknown, a value is wrong, or a step cannot be run as written.
    """
    return complete(read_toml(path, Plan), path)


def built_in_plan(name: str) -> Plan:
    """Return the plan that ships under this name.

    Raises:
        EdgeprofError: no plan has this name.
    """
    if name not in built_in_plan_names():
        names = ", ".join(built_in_plan_names())
        raise EdgeprofError(f"no plan is called '{name}': use one of {names}, or the path of a TOML file")
    return read_plan(_FOLDER / f"{name}.toml")


def built_in_plan_names() -> tuple[str, ...]:
    """Names of the plans that ship with edgeprof."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def find_plan(name_or_path: str) -> Plan:
    """Return the plan in the file ``name_or_path``, or else the built-in plan of that name."""
    if name_or_path.endswith(".toml"):
        return read_plan(Path(name_or_path))
    return built_in_plan(name_or_path)


def complete(plan: Plan, path: Path) -> Plan:
    """Name the steps that have no name, and refuse what cannot be run."""
    if not plan.steps:
        raise ConfigError(f"{path}: a plan needs at least one [[steps]]")
    if not plan.variants:
        raise ConfigError(f"{path}: 'variants' must not be empty; leave it out to run the engine's defaults")
    steps = tuple(_complete_step(step, f"{path}: step {number}") for number, step in enumerate(plan.steps, 1))
    _refuse_duplicates([step.name for step in steps], f"{path}: two steps are called")
    _refuse_duplicates([variant.name for variant in plan.variants], f"{path}: two variants are called")
    return replace(plan, steps=steps)


def _complete_step(step: Step, where: str) -> Step:
    if step.kind is StepKind.FIDELITY:
        step = _complete_fidelity(step, where)
    elif step.top_count:
        raise ConfigError(f"{where}: only a fidelity step has 'top_count'")
    needed = {
        StepKind.PREFILL: ("prompt_tokens",),
        StepKind.DECODE: ("decode_tokens",),
        StepKind.CHAT: ("prompt_tokens", "decode_tokens"),
    }.get(step.kind, ())
    for key in needed:
        if getattr(step, key) == 0:
            raise ConfigError(f"{where}: a {step.kind.value} step needs '{key}', 1 or more")
    if step.kind is not StepKind.CHAT and step.turns != 1:
        raise ConfigError(f"{where}: only a chat step has 'turns'")
    unused = {StepKind.PREFILL: "decode_tokens", StepKind.DECODE: "prompt_tokens"}.get(step.kind)
    if unused and getattr(step, unused):
        raise ConfigError(f"{where}: a {step.kind.value} step has no '{unused}'")
    return step if step.name else replace(step, name=_default_name(step))


def _complete_fidelity(step: Step, where: str) -> Step:
    step = step if step.top_count else replace(step, top_count=DEFAULT_TOP_COUNT)
    tokens = step.prompt_tokens + step.decode_tokens
    if not tokens:
        raise ConfigError(f"{where}: a fidelity step needs 'prompt_tokens' or 'decode_tokens', 1 or more")
    if tokens * step.top_count > MOST_KEPT_TOKENS:
        raise ConfigError(
            f"{where}: {tokens} tokens with {step.top_count} next tokens each are more than {MOST_KEPT_TOKENS}: "
            "take fewer of either"
        )
    return step


def _default_name(step: Step) -> str:
    if step.kind is StepKind.CHAT:
        return f"chat {step.turns}x({step.prompt_tokens}+{step.decode_tokens})"
    if step.kind is StepKind.FIDELITY:
        return f"fidelity {step.prompt_tokens}+{step.decode_tokens}"
    tokens = step.prompt_tokens or step.decode_tokens
    return f"{step.kind.value} {tokens}" + (f" @ {step.depth_tokens}" if step.depth_tokens else "")


def _refuse_duplicates(names: list[str], message: str) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigError(f"{message} '{name}'; give one another name")
