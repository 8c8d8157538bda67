"""A plan for a terminal: its steps, variants and bounds."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edgeprof.estimate import PlanEstimate
from edgeprof.plan import Plan, Step, StepKind

_DEFAULT_VARIANT = "default"


def print_plan(plan: Plan, estimate: PlanEstimate, console: Console) -> None:
    """Print all that a plan says, and how long it will take."""
    console.print(Text.assemble((plan.name, "bold"), f": {plan.description}" if plan.description else ""))
    console.print()
    console.print(_steps(plan))
    console.print()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for name, text in (*_facts(plan), ("Takes", _takes(plan, estimate))):
        facts.add_row(name, Text(text))
    console.print(facts)


def repetitions_text(plan: Plan) -> str:
    """How often each step is run: a number, or from one to another."""
    return f"{plan.repetitions}" if plan.until is None else f"{plan.repetitions} to {plan.until.most_repetitions}"


def what_step_does(step: Step) -> str:
    """A step in words."""
    after = f", after {step.depth_tokens:,} tokens of context" if step.depth_tokens else ""
    return {
        StepKind.PREFILL: f"process a prompt of {step.prompt_tokens:,} tokens{after}",
        StepKind.DECODE: f"decode {step.decode_tokens:,} tokens one at a time{after}",
        StepKind.CHAT: f"{step.turns} turns of {step.prompt_tokens:,} tokens in and {step.decode_tokens:,} out{after}",
        StepKind.FIDELITY: (
            f"keep the {step.top_count} likeliest next tokens after each of {step.prompt_tokens:,} processed together "
            f"and {step.decode_tokens:,} one at a time{after}"
        ),
        StepKind.PARALLEL: f"decode {step.sequences} sequences together, {step.decode_tokens:,} tokens of each{after}",
        StepKind.PERPLEXITY: (
            f"score how well {step.text} is foreseen, in up to {step.windows} windows of {step.prompt_tokens:,} tokens"
        ),
        StepKind.TASKS: f"ask {step.tasks} small tasks of counting and arithmetic",
        StepKind.ROWS: f"process {step.decode_tokens:,} tokens, {step.rows} in each call{after}",
    }[step.kind]


def _steps(plan: Plan) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("step", "what it does"):
        table.add_column(heading, no_wrap=heading == "step")
    for step in plan.steps:
        optional = "; left out where the engine cannot" if step.optional else ""
        table.add_row(Text(step.name), Text(f"{what_step_does(step)}{optional}"))
    return table


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "Repetitions", _repetitions(plan)
    if [variant.name for variant in plan.variants] != [_DEFAULT_VARIANT]:
        yield "Variants", ", ".join(variant.name for variant in plan.variants)
    if plan.fresh_processes:
        yield "Processes", "new ones for each repetition, which load the model and warm up"
    yield "Waits for", _gates(plan)
    yield "Ends early", _limits(plan)
    yield "Context", f"{plan.cache_tokens:,} tokens in all caches"


def _takes(plan: Plan, estimate: PlanEstimate) -> str:
    most = f", {_minutes(estimate.most_seconds)} at most" if plan.until else ""
    return f"about {_minutes(estimate.seconds)}{most}, with {estimate.model} on this device"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


def _repetitions(plan: Plan) -> str:
    if plan.until is None:
        return f"{plan.repetitions} of every step"
    until = plan.until
    wanted = []
    if until.interval_ratio is not None:
        wanted.append(f"every rate's 95 % interval is within {until.interval_ratio:.1%} of its median")
    if until.settled_seconds is not None:
        wanted.append(f"rates and temperature have not moved for {until.settled_seconds:g} s")
    return (
        f"{plan.repetitions} of every step, then until {' and '.join(wanted)}; "
        f"{until.most_repetitions} at most, and none begins after {until.most_seconds:g} s"
    )


def _gates(plan: Plan) -> str:
    gates = plan.gates
    wanted = []
    if gates.start_temperature_celsius is not None:
        wanted.append(f"{gates.start_temperature_celsius:g} °C")
    if gates.idle_cpu_ratio is not None:
        wanted.append(f"a CPU that is {gates.idle_cpu_ratio:.0%} busy or less")
    return f"{' and '.join(wanted)}, {gates.wait_seconds:g} s at most" if wanted else "nothing"


def _limits(plan: Plan) -> str:
    limits = plan.limits
    bounds = [f"after {limits.time_seconds:g} s"]
    if limits.temperature_celsius is not None:
        bounds.append(f"at {limits.temperature_celsius:g} °C")
    bounds.append(f"with less than {limits.memory_headroom_ratio:.0%} of memory free")
    return ", ".join(bounds)
