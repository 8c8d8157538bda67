"""The few figures that a page begins with."""

from collections.abc import Iterator
from dataclasses import dataclass

from edgeprof.plan import StepKind
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.verdict import FigureName, StepVerdict, Verdict
from edgeprof_collector.report.facts import clean
from edgeprof_collector.report.rows import TOO_FEW, FigureRow, figure_row, percentile_row, step_title, widest_rail


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A figure with what it is of, its spread, and its formula. ``number`` and ``unit`` are its value."""

    title: str
    where: str
    number: str
    unit: str
    spread: str
    formula: str


def cards(verdict: Verdict) -> tuple[Card, ...]:
    """Of the first variant: rates at the smallest depth, latencies, MBU, energy and memory, where given."""
    return (*_step_cards(verdict), *_memory_card(verdict))


def _step_cards(verdict: Verdict) -> Iterator[Card]:
    prefill = _first_step(verdict, StepKind.PREFILL)
    decode = _first_step(verdict, StepKind.DECODE)
    chat = _first_step(verdict, StepKind.CHAT)
    if prefill:
        yield from _figure_card(verdict, prefill, FigureName.PREFILL_RATE, "Prefill")
    if decode:
        yield from _figure_card(verdict, decode, FigureName.DECODE_RATE, "Decode")
    if chat:
        yield from _figure_card(verdict, chat, FigureName.TTFT, "First token, turn 1", turn=0)
        if chat.turns > 1:
            title = f"First token, turn {chat.turns}"
            yield from _figure_card(verdict, chat, FigureName.TTFT, title, turn=chat.turns - 1)
    if decode:
        if decode.token_gaps and decode.token_gaps.percentiles:
            row = percentile_row(decode.token_gaps.percentiles[-1], decode.token_gaps.gap_count)
            yield _card(f"Token gap, {row.title.rpartition(' ')[2]}", step_title(decode, verdict), row)
        yield from _figure_card(verdict, decode, FigureName.MBU, "Memory bandwidth used")
        yield from _figure_card(verdict, decode, FigureName.DECODE_ENERGY, "Energy per token")


def _figure_card(
    verdict: Verdict, step: StepVerdict, name: FigureName, title: str, *, turn: int | None = None
) -> Iterator[Card]:
    rail = widest_rail(verdict) if name is FigureName.DECODE_ENERGY else None
    for figure in step.figures:
        if (figure.name, figure.turn) == (name, turn) and rail in (None, figure.scope):
            where = f"{step_title(step, verdict)}, {figure.scope}" if figure.scope else step_title(step, verdict)
            yield _card(title, where, figure_row(figure))


def _card(title: str, where: str, row: FigureRow) -> Card:
    number, _, unit = row.value.partition(" ")
    interval = "too few repetitions for an interval" if row.interval == TOO_FEW else f"95 %: {row.interval}"
    return Card(
        title=title,
        where=clean(where),
        number=number,
        unit=unit,
        spread=f"{interval}, n\u00a0=\u00a0{row.n}",
        formula=row.formula,
    )


def _memory_card(verdict: Verdict) -> Iterator[Card]:
    memory = verdict.memory
    if memory.peak_resident_bytes is None:
        return
    number, _, unit = bytes_text(memory.peak_resident_bytes).partition(" ")
    headroom = memory.headroom_ratio
    yield Card(
        title="Peak memory",
        where="the workload's process",
        number=number,
        unit=unit,
        spread="" if headroom is None else f"{text_of(headroom, 'ratio')} headroom",
        formula=memory.peak_source,
    )


def _first_step(verdict: Verdict, kind: StepKind) -> StepVerdict | None:
    """The step of this kind with the smallest depth, of the first variant that has one."""
    steps = [step for step in verdict.steps if step.kind is kind]
    return min(steps, key=lambda step: (step.variant, step.depth_tokens), default=None)
