"""Why a metric is not measured, and what would change that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class State(str, Enum):
    """What stands in the way."""

    REFUSED = "refused"
    """It is there, and the remedies would allow it."""
    ABSENT = "absent"
    """This device does not have it, or nothing that its owner can do shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Something between a family of sensors and some of its metrics.

    ``source`` is the path or call that does not answer. ``remedies`` are commands for a shell, one after another;
    those that need root begin with sudo.
    """

    metrics: tuple[str, ...]
    state: State
    source: str
    reason: str
    remedies: tuple[str, ...] = ()


def absent(metrics: tuple[str, ...], source: str, reason: str) -> Obstacle:
    """Return an obstacle that nothing clears away."""
    return Obstacle(metrics=metrics, state=State.ABSENT, source=source, reason=reason)


@dataclass(frozen=True, slots=True)
class FamilyDiagnosis:
    """What a family can give, and how to find out why it does not.

    ``obstacles`` looks at the device under a root; ``problem`` explains what went wrong when the family was asked.
    """

    family: str
    title: str
    metrics: tuple[str, ...]
    obstacles: Callable[[Path], Sequence[Obstacle]]
    problem: Callable[[str], Obstacle] | None = None
