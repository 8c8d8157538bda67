"""Runs for comparisons, of which only the values matter: a real verdict with its decode steps' samples replaced."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from edgeprof.plan import Plan, Step, StepKind
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.verdict import Figure, FigureName, Sample, Verdict
from tests.collector.analysis.sample_run import Scenario, sample_record


def run_of(
    values_by_step: Sequence[Sequence[float]], run_id: str = "run", variant: str = "", more: RunData | None = None
) -> RunData:
    """A run whose steps decoded at these rates. With ``more``, its variants are in the same run, ``variant`` named."""
    verdict, steps = _template(len(values_by_step))
    named = tuple(
        replace(step, variant_name=variant or "default", figures=(_rate(values),))
        for step, values in zip(verdict.steps, values_by_step, strict=True)
    )
    if more is not None:
        named += more.verdict.steps
    return RunData(
        verdict=replace(verdict, run_id=run_id, steps=named, variants=()), series=(), steps=steps, variant=variant
    )


def variants_of(base: Sequence[Sequence[float]], candidate: Sequence[Sequence[float]]) -> tuple[RunData, RunData]:
    """Two variants of one run."""
    second = run_of(candidate, variant="new")
    first = run_of(base, variant="old", more=second)
    return first, replace(first, variant="new")


@cache
def _template(step_count: int) -> tuple[Verdict, tuple[Step, ...]]:
    steps = tuple(
        Step(kind=StepKind.DECODE, name=f"decode 8 @ {depth}", decode_tokens=8, depth_tokens=depth)
        for depth in range(step_count)
    )
    plan = Plan(name="steps", steps=steps, repetitions=1)
    return analyse(sample_record(Scenario(plan=plan)), ()), steps


def _rate(values: Sequence[float]) -> Figure:
    return Figure(
        name=FigureName.DECODE_RATE,
        unit="tokens/s",
        formula="",
        n=len(values),
        median=0.0,
        first_quartile=0.0,
        third_quartile=0.0,
        interval=None,
        samples=tuple(Sample(index, value) for index, value in enumerate(values)),
    )
