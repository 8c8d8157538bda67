"""The order of a run, from a plan alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from edgeprof.plan import Plan
from edgeprof.run import PhaseKind, StepRef


@dataclass(frozen=True, slots=True)
class Stage:
    """What a run does next. ``step`` says which repetition of which step; of a load, an unload or a warm-up, whose."""

    kind: PhaseKind
    step: StepRef | None = None


def schedule(plan: Plan, *, side_by_side: bool) -> tuple[Stage, ...]:
    """Return the stages of a run in order.

    Repetitions are outermost, and every other one takes the variants in reverse (A B B A), so that a device that
    grows slower or faster all the while treats all variants alike. Variants that are loaded ``side_by_side`` take
    turns at every step. Those that are not are loaded, warmed up, run through the steps and unloaded in turn; in
    reverse order the last one can stay loaded. The ceiling is measured at both ends: it moves with the device's
    temperature, and on a virtual machine with the host's other work.
    """
    return (
        Stage(PhaseKind.GATE),
        Stage(PhaseKind.CEILING),
        *(_side_by_side(plan) if side_by_side else _in_turn(plan)),
        Stage(PhaseKind.CEILING),
    )


def _side_by_side(plan: Plan) -> Iterator[Stage]:
    variants = range(len(plan.variants))
    for variant in variants:
        yield _of_variant(PhaseKind.LOAD, variant, 0)
    yield Stage(PhaseKind.REST)
    for variant in variants:
        yield _of_variant(PhaseKind.WARM_UP, variant, 0)
    for repetition in range(plan.repetitions):
        for step in _steps_of(plan, repetition):
            for variant in _variant_order(plan, repetition):
                yield Stage(PhaseKind.STEP, StepRef(step=step, variant=variant, repetition=repetition))
    yield Stage(PhaseKind.REST)
    for variant in variants:
        yield _of_variant(PhaseKind.UNLOAD, variant, plan.repetitions - 1)


def _in_turn(plan: Plan) -> Iterator[Stage]:
    loaded: int | None = None
    for repetition in range(plan.repetitions):
        for variant in _variant_order(plan, repetition):
            if variant != loaded:
                if loaded is not None:
                    yield _of_variant(PhaseKind.UNLOAD, loaded, repetition)
                yield _of_variant(PhaseKind.LOAD, variant, repetition)
                if loaded is None:
                    yield Stage(PhaseKind.REST)
                yield _of_variant(PhaseKind.WARM_UP, variant, repetition)
                loaded = variant
            for step in _steps_of(plan, repetition):
                yield Stage(PhaseKind.STEP, StepRef(step=step, variant=variant, repetition=repetition))
    yield Stage(PhaseKind.REST)
    if loaded is not None:
        yield _of_variant(PhaseKind.UNLOAD, loaded, plan.repetitions - 1)


def _steps_of(plan: Plan, repetition: int) -> list[int]:
    """The steps of a repetition: all, or those that are timed, for what a model answers is the same each time."""
    return [index for index, step in enumerate(plan.steps) if step.kind.is_timed or repetition == 0]


def _variant_order(plan: Plan, repetition: int) -> range:
    variants = range(len(plan.variants))
    return variants if repetition % 2 == 0 else variants[::-1]


def _of_variant(kind: PhaseKind, variant: int, repetition: int) -> Stage:
    return Stage(kind, StepRef(step=0, variant=variant, repetition=repetition))
