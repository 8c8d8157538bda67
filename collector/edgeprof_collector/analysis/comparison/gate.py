"""What a person will not have: aspects that got worse, beyond a limit. Written ``decode:-3%,energy:+5%,fidelity``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from edgeprof.errors import EdgeprofError
from edgeprof_collector.analysis.comparison.result import HIGHER_IS_BETTER, Answer, Aspect, Change, Comparison


@dataclass(frozen=True, slots=True)
class Limit:
    """An aspect, and the change from which on it fails: negative for rates; 0 for every change for the worse."""

    aspect: Aspect
    change_ratio: float = 0.0

    @property
    def text(self) -> str:
        """As it was written."""
        return f"{self.aspect.value}:{100 * self.change_ratio:+g}%" if self.change_ratio else self.aspect.value


class Outcome(str, Enum):
    """What becomes of a limit."""

    KEPT = "kept"
    BROKEN = "broken"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A limit's outcome, and the changes that decided it: those that broke it, or those that cannot be told."""

    limit: Limit
    outcome: Outcome
    changes: tuple[Change, ...]


def read_limits(text: str) -> tuple[Limit, ...]:
    """Read what was written; nothing gives no limits.

    Raises:
        EdgeprofError: it is not understood, or a limit lies on the better side.
    """
    return tuple(_read_limit(part.strip()) for part in text.split(",")) if text.strip() else ()


def rule(comparison: Comparison, limits: Sequence[Limit]) -> tuple[Ruling, ...]:
    """Judge each limit by the changes of its aspect.

    It is broken by a change for the worse that was shown and whose estimate lies beyond the limit. It is kept when the
    whole interval of every change lies within it. Between the two nobody can tell; nor when there is no such figure.
    """
    return tuple(_rule(limit, comparison) for limit in limits)


def _rule(limit: Limit, comparison: Comparison) -> Ruling:
    changes = [change for change in comparison.changes if change.subject.aspect is limit.aspect]
    broken = tuple(change for change in changes if _breaks(change, limit))
    if broken:
        return Ruling(limit, Outcome.BROKEN, broken)
    open_ones = tuple(change for change in changes if not _keeps(change, limit, comparison.no_difference_ratio))
    if open_ones or not changes:
        return Ruling(limit, Outcome.CANNOT_TELL, open_ones)
    return Ruling(limit, Outcome.KEPT, ())


def _breaks(change: Change, limit: Limit) -> bool:
    return (
        change.answer is Answer.WORSE
        and change.change_ratio is not None
        and abs(change.change_ratio) >= abs(limit.change_ratio)
    )


def _keeps(change: Change, limit: Limit, no_difference_ratio: float) -> bool:
    """Whether the data rules out a change beyond the limit; without a number, one that counts as a difference."""
    if change.interval is None:
        return False
    if change.answer is Answer.BETTER:
        return True
    if change.subject.aspect is Aspect.FIDELITY:
        return change.answer is Answer.NO_DIFFERENCE
    if change.subject.aspect in HIGHER_IS_BETTER:
        return change.interval.low >= (limit.change_ratio or -no_difference_ratio)
    return change.interval.high <= (limit.change_ratio or no_difference_ratio)


def _read_limit(text: str) -> Limit:
    parts = re.fullmatch(r"(\w+)(?::([+-]?\d+(?:\.\d+)?)%)?", text)
    names = ", ".join(each.value for each in Aspect)
    if parts is None:
        raise EdgeprofError(f"'{text}' is no limit: write one of {names}, or with how much, as in decode:-3%")
    name, percent = parts.groups()
    if name not in {each.value for each in Aspect}:
        raise EdgeprofError(f"'{name}' is nothing that is compared: name one of {names}")
    aspect, change_ratio = Aspect(name), float(percent or 0) / 100
    if aspect is Aspect.FIDELITY and percent:
        raise EdgeprofError(f"'{text}': fidelity has no percentage, for its KL divergence decides: write fidelity")
    sign = "-" if aspect in HIGHER_IS_BETTER else "+"
    if change_ratio and (change_ratio < 0) is not (sign == "-"):
        raise EdgeprofError(f"'{text}' would fail when it gets better: write {name}:{sign}{abs(change_ratio * 100):g}%")
    return Limit(aspect, change_ratio)
