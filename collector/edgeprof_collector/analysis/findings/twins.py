"""Variants that differ in one option alone: what they show beside each other, the option did."""

from collections.abc import Mapping
from dataclasses import replace

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.thresholds import VARIANT_MIN_RATIO
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


def is_slower(rate: Figure, than: Figure) -> bool:
    """Whether a rate is lower by enough to matter, and the middle halves of both lie apart."""
    return rate.median < than.median * (1 - VARIANT_MIN_RATIO) and rate.third_quartile < than.first_quartile
