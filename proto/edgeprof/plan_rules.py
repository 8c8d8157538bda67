"""What a plan may not say though every value of it is one, and what its steps leave to be filled in."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath

from edgeprof.errors import ConfigError
from edgeprof.plan import (
    DEFAULT_TASKS,
    DEFAULT_TOP_COUNT,
    DEFAULT_WINDOWS,
    LEAST_TASKS,
    LEAST_WINDOW_TOKENS,
    MOST_KEPT_TOKENS,
    Plan,
    Step,
    StepKind,
)
from edgeprof.problems import Problem, about

_COUNTS = ("prompt_tokens", "decode_tokens", "sequences", "rows", "top_count", "windows", "tasks")
_NEEDED = {
    StepKind.PREFILL: ("prompt_tokens",),
    StepKind.DECODE: ("decode_tokens",),
    StepKind.CHAT: ("prompt_tokens", "decode_tokens"),
    StepKind.FIDELITY: (),
    StepKind.PARALLEL: ("decode_tokens", "sequences"),
    StepKind.ROWS: ("decode_tokens", "rows"),
    StepKind.PERPLEXITY: ("prompt_tokens",),
    StepKind.TASKS: (),
}
_OPTIONAL = {
    StepKind.FIDELITY: ("prompt_tokens", "decode_tokens", "top_count"),
    StepKind.PERPLEXITY: ("windows",),
    StepKind.TASKS: ("tasks",),
}
_LEAST_CALLS = 2  # the first is left out of the rate


def complete(plan: Plan) -> Plan:
    """Fill in what steps leave open.

    Raises:
        ConfigError: a step cannot be run as it is, or two are called the same.
    """
    for problem in plan_problems(plan):
        raise ConfigError(f"plan {plan.name}: {problem.text}")
    return filled_in(plan)


def filled_in(plan: Plan) -> Plan:
    """Name the steps that have no name by what they do, and fill in how much those keep or read that leave it open."""
    return replace(plan, steps=tuple(_filled_in(step) for step in plan.steps))


def plan_problems(plan: Plan) -> Iterator[Problem]:
    """Yield all that cannot be run."""
    if not plan.steps:
        yield Problem((), "a plan needs at least one [[steps]]")
    elif all(step.optional for step in plan.steps):
        yield Problem(("steps",), "a plan needs at least one step that is not 'optional'")
    if not plan.variants:
        yield Problem(("variants",), "'variants' must not be empty; leave it out to run the engine's defaults")
    for index, step in enumerate(plan.steps):
        yield from _step_problems(step, ("steps", str(index)))
    yield from _duplicates([step.name for step in filled_in(plan).steps], "steps")
    yield from _duplicates([variant.name for variant in plan.variants], "variants")
    if plan.until and plan.until.most_repetitions < plan.repetitions:
        yield about(("until", "most_repetitions"), f"must be {plan.repetitions}, the plan's 'repetitions', or more")
    if plan.until and plan.until.interval_ratio is None and plan.until.settled_seconds is None:
        yield about(("until",), "needs 'interval_ratio' or 'settled_seconds', else nothing is waited for")


def _step_problems(step: Step, keys: tuple[str, ...]) -> Iterator[Problem]:
    kind = step.kind.value
    for name in _COUNTS:
        if name in _NEEDED[step.kind] and not getattr(step, name):
            yield about((*keys, name), f"a {kind} step needs it, 1 or more")
        if getattr(step, name) and name not in (*_NEEDED[step.kind], *_OPTIONAL.get(step.kind, ())):
            yield about((*keys, name), f"a {kind} step has none")
    if step.kind is not StepKind.CHAT and step.turns != 1:
        yield about((*keys, "turns"), "only a chat step has turns")
    if step.kind is StepKind.FIDELITY:
        yield from _fidelity_problems(step, keys)
    if step.kind is StepKind.TASKS:
        yield from _tasks_problems(step, keys)
    yield from _text_problems(step, keys)
    if step.rows and step.decode_tokens and not _fills_calls(step):
        fitting = f"{_LEAST_CALLS * step.rows}, {(_LEAST_CALLS + 1) * step.rows}"
        yield about((*keys, "decode_tokens"), f"must fill {_LEAST_CALLS} calls of {step.rows} or more: {fitting}, ...")


def _fidelity_problems(step: Step, keys: tuple[str, ...]) -> Iterator[Problem]:
    tokens = step.prompt_tokens + step.decode_tokens
    top_count = _filled_in(step).top_count
    if not tokens:
        yield about(keys, "a fidelity step needs 'prompt_tokens' or 'decode_tokens', 1 or more")
    if tokens * top_count > MOST_KEPT_TOKENS:
        yield about(
            keys,
            f"{tokens} tokens with {top_count} next tokens each are more than {MOST_KEPT_TOKENS}: take fewer of either",
        )


def _tasks_problems(step: Step, keys: tuple[str, ...]) -> Iterator[Problem]:
    if 0 < step.tasks < LEAST_TASKS:
        yield about((*keys, "tasks"), f"must be {LEAST_TASKS} or more: of fewer tasks no loss could be shown")
    if step.depth_tokens:
        yield about((*keys, "depth_tokens"), "a tasks step has none: each task begins with an empty context")


def _text_problems(step: Step, keys: tuple[str, ...]) -> Iterator[Problem]:
    if step.kind is not StepKind.PERPLEXITY:
        if step.text:
            yield about((*keys, "text"), f"a {step.kind.value} step has none")
        return
    if not (PurePosixPath(step.text).is_absolute() or PureWindowsPath(step.text).is_absolute()):
        yield about((*keys, "text"), "a perplexity step needs it, the whole path of a text on the device")
    if 0 < step.prompt_tokens < LEAST_WINDOW_TOKENS:
        yield about((*keys, "prompt_tokens"), f"a window needs {LEAST_WINDOW_TOKENS} tokens or more")
    if step.depth_tokens:
        yield about((*keys, "depth_tokens"), "a perplexity step has none: each window begins with an empty context")


def _fills_calls(step: Step) -> bool:
    return step.decode_tokens % step.rows == 0 and step.decode_tokens >= _LEAST_CALLS * step.rows


def _duplicates(names: Sequence[str], table: str) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem((table, str(index)), f"two {table} are called '{name}'; give one another name")


def _filled_in(step: Step) -> Step:
    if step.kind is StepKind.FIDELITY and not step.top_count:
        step = replace(step, top_count=DEFAULT_TOP_COUNT)
    if step.kind is StepKind.PERPLEXITY and not step.windows:
        step = replace(step, windows=DEFAULT_WINDOWS)
    if step.kind is StepKind.TASKS and not step.tasks:
        step = replace(step, tasks=DEFAULT_TASKS)
    return step if step.name else replace(step, name=_name(step))


def _name(step: Step) -> str:
    if step.kind is StepKind.CHAT:
        return f"chat {step.turns}x({step.prompt_tokens}+{step.decode_tokens})"
    if step.kind is StepKind.FIDELITY:
        return f"fidelity {step.prompt_tokens}+{step.decode_tokens}"
    if step.kind is StepKind.PERPLEXITY:
        return f"perplexity {step.windows}x{step.prompt_tokens}"
    what = {
        StepKind.PARALLEL: f"{step.sequences}x{step.decode_tokens}",
        StepKind.ROWS: f"{step.rows}",
        StepKind.TASKS: f"{step.tasks}",
    }.get(step.kind, f"{step.prompt_tokens or step.decode_tokens}")
    return f"{step.kind.value} {what}" + (f" @ {step.depth_tokens}" if step.depth_tokens else "")
