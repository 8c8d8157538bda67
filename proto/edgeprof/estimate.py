"""How long a plan will take, before it is run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEstimate:
    """The time of a plan with a model: as far as can be foreseen, and where every step needs the most repetitions."""

    model: str
    seconds: float
    most_seconds: float
