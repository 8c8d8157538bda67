"""Each step's figures, with the conditions and flags of its repetitions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edgeprof.plan import StepKind
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.bandwidth import bandwidth_figures
from edgeprof_collector.analysis.conditions import describe_repetitions
from edgeprof_collector.analysis.energy import energy_figures
from edgeprof_collector.analysis.energy_meters import EnergyMeter
from edgeprof_collector.analysis.placement import Placement, placement
from edgeprof_collector.analysis.rates import rate_figures, token_gaps
from edgeprof_collector.analysis.repetitions import RecordedRepetition, group_repetitions
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.statistics import drift_ratio
from edgeprof_collector.analysis.sustained import sustained_rate
from edgeprof_collector.analysis.verdict import (
    AbsentFigure,
    Figure,
    FigureName,
    Flag,
    RaisedFlag,
    Repetition,
    StepVerdict,
)

_RATES = {FigureName.PREFILL_RATE: "prefill rate", FigureName.DECODE_RATE: "decode rate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What all steps of a run are judged by."""

    record: RunRecord
    series: Sequence[Series]
    meters: Sequence[EnergyMeter]


def step_verdicts(
    record: RunRecord, series: Sequence[Series], meters: Sequence[EnergyMeter]
) -> tuple[StepVerdict, ...]:
    """Every step of every variant that has a repetition, in the plan's order, variants side by side.

    ``meters`` begin with the widest, which tells the power that a repetition was taken at.
    """
    run = _Run(record=record, series=series, meters=meters)
    places = [placement(record, series, variant) for variant in range(len(record.started.plan.variants))]
    return tuple(
        _step_verdict(run, repetitions, places[variant])
        for (_, variant), repetitions in group_repetitions(record).items()
    )


def _step_verdict(run: _Run, repetitions: Sequence[RecordedRepetition], place: Placement) -> StepVerdict:
    record = run.record
    reference = repetitions[0].reference
    plan = record.started.plan
    step = plan.steps[reference.step]
    described = describe_repetitions(record, run.series, repetitions, next(iter(run.meters), None), place.processor)
    figures, absent = _figures(record, run.meters, repetitions, place)
    drifts = {index: ratio for index, figure in enumerate(figures) if (ratio := _drift(figure)) is not None}
    return StepVerdict(
        step=reference.step,
        variant=reference.variant,
        name=step.name,
        variant_name=plan.variants[reference.variant].name,
        kind=step.kind,
        prompt_tokens=step.prompt_tokens,
        depth_tokens=step.depth_tokens,
        decode_tokens=step.decode_tokens,
        turns=step.turns,
        sequences=step.sequences,
        rows=step.rows,
        processor=place.processor,
        repetitions=described,
        figures=tuple(
            _with_flags(figure, described, synthetic=record.started.model.synthetic, drifting=index in drifts)
            for index, figure in enumerate(figures)
        ),
        absent=tuple(absent),
        token_gaps=token_gaps(repetitions) if step.kind is not StepKind.ROWS else None,  # they come together
        sustained=sustained_rate(plan, described, figures),
        flags=tuple(_drift_flag(figures[index], ratio) for index, ratio in drifts.items()),
    )


def _figures(
    record: RunRecord, meters: Sequence[EnergyMeter], repetitions: Sequence[RecordedRepetition], place: Placement
) -> tuple[list[Figure], list[AbsentFigure]]:
    step = record.started.plan.steps[repetitions[0].reference.step]
    figures: list[Figure] = rate_figures(step, repetitions)
    absent: list[AbsentFigure] = []
    decode_rate = next((figure for figure in figures if figure.name is FigureName.DECODE_RATE), None)
    if step.kind is StepKind.DECODE and decode_rate is not None:
        more, missing = bandwidth_figures(record, repetitions, decode_rate, place)
        figures, absent = figures + more, absent + missing
    more, missing = energy_figures(step.kind, repetitions, meters)
    return figures + more, absent + missing


def _with_flags(figure: Figure, repetitions: Iterable[Repetition], *, synthetic: bool, drifting: bool) -> Figure:
    """The figure with the flags of the repetitions that it comes from, and its own."""
    used = {sample.repetition for sample in figure.samples}
    raised = {each.flag for repetition in repetitions if repetition.index in used for each in repetition.flags}
    raised |= {Flag.SYNTHETIC} if synthetic else set()
    raised |= {Flag.DRIFTING} if drifting else set()
    return replace(figure, flags=tuple(flag for flag in Flag if flag in raised))


def _drift(figure: Figure) -> float | None:
    return drift_ratio([sample.value for sample in figure.samples]) if figure.name in _RATES else None


def _drift_flag(figure: Figure, ratio: float) -> RaisedFlag:
    where = "" if figure.turn is None else f" of turn {figure.turn + 1}"
    evidence = f"{_RATES[figure.name]}{where} moved by {ratio:+.1%} of its median from the first repetition to the last"
    return RaisedFlag(flag=Flag.DRIFTING, evidence=evidence)
