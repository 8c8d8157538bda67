"""A comparison in words, for terminal and Markdown alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgeprof_collector.analysis.comparison.gate import Outcome, Ruling
from edgeprof_collector.analysis.comparison.result import Answer, Change, Comparison
from edgeprof_collector.analysis.quantity import scale_of
from edgeprof_collector.report.facts import clean

COLUMNS = ("Figure", "Base", "Candidate", "Change", "95 % interval", "Visible from", "n", "Answer")
LEGEND = (
    "Change: ratio of geometric means, less 1. Interval: of one figure alone. Visible from: the change that this data "
    "would have shown with a probability of 80 %."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change in words; ``reason`` is empty where the answer speaks for itself."""

    title: str
    base: str
    candidate: str
    change: str
    interval: str
    visible: str
    count: str
    answer: Answer
    reason: str

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of ``COLUMNS``."""
        return (
            self.title,
            self.base,
            self.candidate,
            self.change,
            self.interval,
            self.visible,
            self.count,
            self.answer.value,
        )


def change_groups(comparison: Comparison) -> tuple[tuple[str, tuple[ChangeRow, ...]], ...]:
    """The rows under the title of their step and variant, in the comparison's order."""
    groups: dict[str, list[ChangeRow]] = {}
    for change in comparison.changes:
        subject = change.subject
        title = " · ".join(part for part in (subject.step, subject.variant) if part) or "whole run"
        groups.setdefault(clean(title), []).append(change_row(change))
    return tuple((title, tuple(rows)) for title, rows in groups.items())


def change_row(change: Change) -> ChangeRow:
    """A change as a row."""
    interval, visible = change.interval, change.smallest_visible_ratio
    return ChangeRow(
        title=change_title(change),
        base=_value(change.base_median, change),
        candidate=_value(change.candidate_median, change),
        change="" if change.change_ratio is None else percent(change.change_ratio),
        interval="" if interval is None else f"{percent(interval.low)} to {percent(interval.high)}",
        visible="" if visible is None else f"{100 * visible:.1f} %" if visible < 1 else "over 100 %",
        count=str(change.base_count)
        if change.base_count == change.candidate_count
        else f"{change.base_count}, {change.candidate_count}",
        answer=change.answer,
        reason=change.reason,
    )


def change_title(change: Change) -> str:
    """The figure's name, with its turn and what it covers."""
    subject = change.subject
    turn = "" if subject.turn is None else f", turn {subject.turn + 1}"
    scope = f" ({subject.scope})" if subject.scope else ""
    return clean(f"{subject.title}{turn}{scope}")


def percent(ratio: float) -> str:
    """A change with its sign."""
    return f"{100 * ratio:+.1f} %"


def answer_count_line(comparison: Comparison) -> str:
    """How many figures have each answer, in one line."""
    counts = [(answer, sum(each.answer is answer for each in comparison.changes)) for answer in Answer]
    told = [f"{count} {answer.value}" for answer, count in counts if count]
    return f"{', '.join(told)}; Holm's correction, {comparison.tested_count} tested."


def difference_lines(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """What tells the sides apart: name, and both values."""
    return tuple(
        (clean(each.name), f"{clean(each.base) or 'none'} -> {clean(each.candidate) or 'none'}")
        for each in comparison.differences
    )


def reason_lines(comparison: Comparison) -> tuple[str, ...]:
    """One line per reason why something cannot be told, with the figures that it holds for."""
    return _reasons(change for change in comparison.changes if change.answer is Answer.CANNOT_TELL)


def output_lines(comparison: Comparison) -> tuple[str, ...]:
    """One line per divergence that decided whether the output is the same."""
    return _reasons(change for change in comparison.changes if change.answer is not Answer.CANNOT_TELL)


def _reasons(changes: Iterable[Change]) -> tuple[str, ...]:
    figures: dict[str, list[str]] = {}
    for change in changes:
        if change.reason:
            where = f"{clean(change.subject.step)}: " if change.subject.step else ""
            figures.setdefault(change.reason, []).append(f"{where}{change_title(change)}")
    return tuple(f"{reason} [{', '.join(names)}]" for reason, names in figures.items())


def ruling_lines(rulings: Sequence[Ruling]) -> tuple[str, ...]:
    """One line per limit, with what decided it."""
    return tuple(f"{ruling.limit.text}: {ruling.outcome.value}{_because(ruling)}" for ruling in rulings)


def _because(ruling: Ruling) -> str:
    if not ruling.changes:
        return "" if ruling.outcome is Outcome.KEPT else ": the runs have no such figure in common"
    parts = []
    for change in ruling.changes:
        row = change_row(change)
        step = f"{clean(change.subject.step)}, " if change.subject.step else ""
        parts.append(f"{step}{row.title} {row.change} ({row.interval})" if row.interval else f"{step}{row.title}")
    return ": " + "; ".join(parts)


def _value(value: float | None, change: Change) -> str:
    """A median on the scale of the base's, so that the two can be compared."""
    if value is None:
        return ""
    return scale_of(change.base_median or value, change.subject.unit).text(value)
