"""Variants that differ in one option alone: what they show beside each other, the option did."""

import math
from collections.abc import Mapping
from dataclasses import replace

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.comparison.shift import PairedShift
from edgeprof_collector.analysis.thresholds import CHANGE_SIGNIFICANCE, COMPARE_MIN_PAIRS, VARIANT_MIN_RATIO
from edgeprof_collector.analysis.verdict import Figure


def asked_options(record: RunRecord, variant: int) -> Mapping[str, str]:
    """What was asked for, others at the engine's defaults. One option in force may follow from another."""
    known = record.started.engine.options
    defaults = known[variant].options if variant < len(known) else {}
    return {**defaults, **record.started.plan.variants[variant].options}


def twins(record: RunRecord, variant: int, option: str) -> tuple[int, ...]:
    """The other variants that differ from this one in ``option`` and in nothing else, in the plan's order."""
    variants = record.started.plan.variants
    own = asked_options(record, variant)

    def same_but_for_option(other: int) -> bool:
        theirs = asked_options(record, other)
        differing = {name for name in own.keys() | theirs.keys() if own.get(name) != theirs.get(name)}
        likewise = replace(variants[other], name=variants[variant].name, options=variants[variant].options)
        return differing == {option} and likewise == variants[variant]

    return tuple(other for other in range(len(variants)) if other != variant and same_but_for_option(other))


def shift_between(rate: Figure, than: Figure) -> PairedShift | None:
    """How far a rate is shifted from another variant's in the same repetitions; ``None`` with too few to tell."""
    values, others = ({each.repetition: each.value for each in figure.samples} for figure in (rate, than))
    shared = [index for index in values if index in others and values[index] > 0 < others[index]]
    if len(shared) < COMPARE_MIN_PAIRS:
        return None
    return PairedShift([math.log(values[index] / others[index]) for index in shared])


def is_slower(rate: Figure, than: Figure, *, tests: int = 1) -> bool:
    """Whether a rate is lower by enough to matter, as the test of `edgeprof compare` shows it for pairs.

    With several ``tests`` of one question the probability is corrected for them (Bonferroni).
    """
    shift = shift_between(rate, than)
    return (
        shift is not None
        and shift.estimate < math.log1p(-VARIANT_MIN_RATIO)
        and shift.probability() * tests <= CHANGE_SIGNIFICANCE
    )
