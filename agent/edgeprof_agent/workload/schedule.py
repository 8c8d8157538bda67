"""The order of a run, from a plan alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, takewhile

from edgeprof.plan import Plan
from edgeprof.run import PhaseKind, StepRef


@dataclass(frozen=True, slots=True)
class Stage:
    """What a run does next. ``step`` says which repetition of which step; of a load, an unload or a warm-up, whose."""

    kind: PhaseKind
    step: StepRef | None = None


GoesOn = Callable[[int], bool]
"""Asked of each repetition when those before it are done: whether it is to follow."""


def schedule(plan: Plan, *, side_by_side: bool, goes_on: GoesOn | None = None) -> Iterator[Stage]:
    """Yield the stages of a run in order, with the plan's ``repetitions``, or as many as ``goes_on`` wants.

    Repetitions are outermost, and every other one takes the variants in reverse (A B B A), so that a device that
    grows slower or faster all the while treats all variants alike; after each two another variant is the first, so
    that none is always between the same two. Variants that are loaded ``side_by_side`` take
    turns at every step. Those that are not are loaded, warmed up, run through the steps and unloaded in turn; in
    reverse order the last one can stay loaded. The ceiling is measured at both ends: it moves with the device's
    temperature, and on a virtual machine with the host's other work.
    """
    repetitions = takewhile(goes_on or (lambda repetition: repetition < plan.repetitions), count())
    yield Stage(PhaseKind.GATE)
    yield Stage(PhaseKind.CEILING)
    yield from _side_by_side(plan, repetitions) if side_by_side else _in_turn(plan, repetitions)
    yield Stage(PhaseKind.CEILING)


def _side_by_side(plan: Plan, repetitions: Iterator[int]) -> Iterator[Stage]:
    variants = range(len(plan.variants))
    for variant in variants:
        yield _of_variant(PhaseKind.LOAD, variant, 0)
    yield Stage(PhaseKind.REST)
    for variant in variants:
        yield _of_variant(PhaseKind.WARM_UP, variant, 0)
    repetition = 0
    for repetition in repetitions:
        for step in _steps_of(plan, repetition):
            for variant in _variant_order(plan, repetition):
                yield Stage(PhaseKind.STEP, StepRef(step=step, variant=variant, repetition=repetition))
    yield Stage(PhaseKind.REST)
    for variant in variants:
        yield _of_variant(PhaseKind.UNLOAD, variant, repetition)


def _in_turn(plan: Plan, repetitions: Iterator[int]) -> Iterator[Stage]:
    loaded: int | None = None
    repetition = 0
    for repetition in repetitions:
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
        yield _of_variant(PhaseKind.UNLOAD, loaded, repetition)


def _steps_of(plan: Plan, repetition: int) -> list[int]:
    """The steps of a repetition: all, or those that are timed, for what a model answers is the same each time."""
    return [index for index, step in enumerate(plan.steps) if step.kind.is_timed or repetition == 0]


def _variant_order(plan: Plan, repetition: int) -> list[int]:
    first = repetition // 2 % len(plan.variants)
    order = [*range(first, len(plan.variants)), *range(first)]
    return order if repetition % 2 == 0 else order[::-1]


def _of_variant(kind: PhaseKind, variant: int, repetition: int) -> Stage:
    return Stage(kind, StepRef(step=0, variant=variant, repetition=repetition))
