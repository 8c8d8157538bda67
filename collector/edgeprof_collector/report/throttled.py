"""What held the device back over a run, in lines."""

from collections import defaultdict
from dataclasses import dataclass

from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.throttling import CAUSES
from edgeprof_collector.analysis.verdict import Repetition, ThrottleReason, Throttling, Verdict
from edgeprof_collector.report.facts import clean

_SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class _Sum:
    """Of one place and reason: in how many repetitions, for how long, how often."""

    repetition_count: int = 0
    seconds: float = 0.0
    event_count: int = 0

    def add(self, found: Throttling) -> None:
        self.repetition_count += 1
        self.seconds += found.seconds or 0.0
        self.event_count += found.event_count or 0


def held_back_lines(verdict: Verdict) -> list[str]:
    """A line per place and reason, or one that says who was watched; none where nobody tells."""
    repetitions = [repetition for step in verdict.steps for repetition in step.repetitions]
    sums: dict[tuple[str, ThrottleReason], _Sum] = defaultdict(_Sum)
    for repetition in repetitions:
        for found in repetition.throttling:
            sums[found.place, found.reason].add(found)
    if not sums:
        watched = ", ".join(clean(place) for place in verdict.throttle_sources)
        return [f"never in a repetition, say {watched}"] if watched and repetitions else []
    whole = text_of(sum(_seconds(each) for each in repetitions), "s")
    return [_line(place, reason, found, whole, len(repetitions)) for (place, reason), found in sorted(sums.items())]


def _line(place: str, reason: ThrottleReason, found: _Sum, whole: str, repetition_count: int) -> str:
    amounts = [f"in {found.repetition_count} of {repetition_count} repetitions"]
    if found.seconds:
        amounts.append(f"{text_of(found.seconds, 's')} of their {whole}")
    if found.event_count:
        amounts.append(f"{found.event_count} {'time' if found.event_count == 1 else 'times'}")
    return f"{clean(place)} by {CAUSES[reason]}: {', '.join(amounts)}"


def _seconds(repetition: Repetition) -> float:
    return (repetition.end_monotonic_ns - repetition.start_monotonic_ns) / _SECOND_NS
