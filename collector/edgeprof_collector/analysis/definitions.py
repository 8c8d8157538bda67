"""Every figure once: its title, its unit and its formula. ``docs/figures.md`` says the same at length."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeprof_collector.analysis.statistics import summarise
from edgeprof_collector.analysis.verdict import Figure, FigureName, Sample


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure is called, its unit, and the formula that is printed wherever the number is shown."""

    title: str
    short_title: str
    unit: str
    formula: str


DEFINITIONS: dict[FigureName, Definition] = {
    FigureName.PREFILL_RATE: Definition(
        "prefill rate",
        "prefill rate",
        "tokens/s",
        "prompt tokens processed / (prompt processed and device synchronised - start); reused tokens not counted",
    ),
    FigureName.DECODE_RATE: Definition(
        "decode rate",
        "decode rate",
        "tokens/s",
        "tokens after the first / (last token - first token)",
    ),
    FigureName.AGGREGATE_RATE: Definition(
        "aggregate decode rate",
        "aggregate rate",
        "tokens/s",
        "tokens of all sequences after the first of each / (last token of any - first token of any)",
    ),
    FigureName.TTFT: Definition(
        "time to first token",
        "ttft",
        "s",
        "first token - request start",
    ),
    FigureName.ITL: Definition(
        "inter-token latency",
        "itl",
        "s",
        "(last token - first token) / (tokens - 1)",
    ),
    FigureName.CALL_TIME: Definition(
        "time per call",
        "time per call",
        "s",
        "(end of the last call - end of the first) / (calls - 1)",
    ),
    FigureName.ROW_TIME: Definition(
        "time per row",
        "time per row",
        "s",
        "time per call / rows in each call",
    ),
    FigureName.E2E_LATENCY: Definition(
        "end-to-end latency",
        "e2e latency",
        "s",
        "last token - request start",
    ),
    FigureName.LOAD_TIME: Definition(
        "load time",
        "load time",
        "s",
        "ready for the first token - model file opened",
    ),
    FigureName.PREFILL_ENERGY: Definition(
        "prefill energy per token",
        "prefill energy",
        "J/token",
        "counter difference from start to prompt processed / prompt tokens processed",
    ),
    FigureName.DECODE_ENERGY: Definition(
        "decode energy per token",
        "decode energy",
        "J/token",
        "counter difference from first to last token / tokens after the first",
    ),
    FigureName.ACHIEVED_BANDWIDTH: Definition(
        "achieved bandwidth",
        "bandwidth",
        "bytes/s",
        "(weight bytes read per token + KV bytes at the mean depth) x decode rate",
    ),
    FigureName.MBU: Definition(
        "memory bandwidth utilisation",
        "MBU",
        "ratio",
        "achieved bandwidth / peak of the processor that ran the model: measured by reading, unless its scope says how",
    ),
}


# Of energies where the device has no counter.
INTEGRATED_FORMULAS = {
    FigureName.PREFILL_ENERGY: (
        "power integrated (trapezoids between samples) from start to prompt processed / prompt tokens processed"
    ),
    FigureName.DECODE_ENERGY: (
        "power integrated (trapezoids between samples) from first to last token / tokens after the first"
    ),
}


def figure(
    name: FigureName, samples: Sequence[Sample], *, turn: int | None = None, scope: str = "", formula: str = ""
) -> Figure:
    """Summarise at least one sample as the figure ``name``. ``formula`` is given where it is not the usual one."""
    summary = summarise([sample.value for sample in samples])
    definition = DEFINITIONS[name]
    return Figure(
        name=name,
        unit=definition.unit,
        formula=formula or definition.formula,
        turn=turn,
        scope=scope,
        n=len(samples),
        median=summary.median,
        first_quartile=summary.first_quartile,
        third_quartile=summary.third_quartile,
        interval=summary.interval,
        samples=tuple(samples),
    )
