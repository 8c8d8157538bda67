"""What a metric is: a name, a unit, a meaning, and how often it is sampled."""

from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    """Whether a metric is a momentary value or a running total."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Tier(str, Enum):
    """How often a metric is sampled while a run is timed: fast at 10 Hz, slow at 1 Hz.

    A metric is as fast as its quickest source; a sensor of a dear or slowly refreshed one is slower than that.
    """

    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Metric:
    """One name, one unit, one meaning on every device. ``help`` states the averaging window where there is one."""

    name: str
    kind: Kind
    resolution: float
    help: str
    labels: tuple[str, ...] = ()
    tier: Tier = Tier.FAST
