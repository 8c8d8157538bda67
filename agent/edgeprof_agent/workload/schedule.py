"""The order of a run, from a plan alone."""

from collections.abc import Callable, Iterator, Sequence
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
    reverse order the last one can stay loaded. With ``fresh_processes`` each repetition loads all of its own, in the
    order of its steps, and unloads them when it is known that another follows. The ceiling is measured at both ends:
    it moves with the device's temperature, and on a virtual machine with the host's other work.
    """
    repetitions = takewhile(goes_on or (lambda repetition: repetition < plan.repetitions), count())
    loaded_once = side_by_side and not plan.fresh_processes
    yield Stage(PhaseKind.GATE)
    yield Stage(PhaseKind.CEILING)
    yield from _loaded_once(plan, repetitions) if loaded_once else _loaded_anew(plan, repetitions, side_by_side)
    yield Stage(PhaseKind.CEILING)


def _loaded_once(plan: Plan, repetitions: Iterator[int]) -> Iterator[Stage]:
    variants = range(len(plan.variants))
    yield from _of_variants(PhaseKind.LOAD, variants, 0)
    yield Stage(PhaseKind.REST)
    yield from _of_variants(PhaseKind.WARM_UP, variants, 0)
    repetition = 0
    for repetition in repetitions:
        yield from _turns(plan, _variant_order(plan, repetition), repetition)
    yield Stage(PhaseKind.REST)
    yield from _of_variants(PhaseKind.UNLOAD, variants, repetition)


def _loaded_anew(plan: Plan, repetitions: Iterator[int], side_by_side: bool) -> Iterator[Stage]:
    loaded: list[int] = []
    loaded_in = 0
    for repetition in repetitions:
        order = _variant_order(plan, repetition)
        for together in [order] if side_by_side else [[variant] for variant in order]:
            if loaded != together or (plan.fresh_processes and loaded_in != repetition):
                yield from _of_variants(PhaseKind.UNLOAD, loaded, loaded_in)
                yield from _of_variants(PhaseKind.LOAD, together, repetition)
                if not loaded:
                    yield Stage(PhaseKind.REST)
                yield from _of_variants(PhaseKind.WARM_UP, together, repetition)
                loaded, loaded_in = together, repetition
            yield from _turns(plan, together, repetition)
    yield Stage(PhaseKind.REST)
    yield from _of_variants(PhaseKind.UNLOAD, loaded, loaded_in)


def _turns(plan: Plan, variants: Sequence[int], repetition: int) -> Iterator[Stage]:
    """One repetition of variants that take turns at every step."""
    for step in _steps_of(plan, repetition):
        for variant in variants:
            yield Stage(PhaseKind.STEP, StepRef(step=step, variant=variant, repetition=repetition))


def _steps_of(plan: Plan, repetition: int) -> list[int]:
    """The steps of a repetition: all, or those that are timed, for what a model answers is the same each time."""
    return [index for index, step in enumerate(plan.steps) if step.kind.is_timed or repetition == 0]


def _variant_order(plan: Plan, repetition: int) -> list[int]:
    first = repetition // 2 % len(plan.variants)
    order = [*range(first, len(plan.variants)), *range(first)]
    return order if repetition % 2 == 0 else order[::-1]


def _of_variants(kind: PhaseKind, variants: Sequence[int], repetition: int) -> Iterator[Stage]:
    for variant in variants:
        yield Stage(kind, StepRef(step=0, variant=variant, repetition=repetition))
