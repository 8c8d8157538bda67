"""What a comparison says. Plain values, ready for JSON."""

from dataclasses import dataclass
from enum import Enum

from edgeprof_collector.analysis.verdict import Interval


class Aspect(str, Enum):
    """What people ask about; one aspect may have a figure in each step."""

    PREFILL = "prefill"
    DECODE = "decode"
    TTFT = "ttft"
    ENERGY = "energy"
    MEMORY = "memory"
    LOAD = "load"
    FIDELITY = "fidelity"
    PERPLEXITY = "perplexity"


# Of all other aspects less is better.
HIGHER_IS_BETTER = frozenset({Aspect.PREFILL, Aspect.DECODE, Aspect.FIDELITY})


class Answer(str, Enum):
    """What the data says of one figure.

    ``NO_DIFFERENCE``: the whole interval lies within what counts as none. ``CANNOT_TELL``: neither a change nor that
    there is none could be shown.
    """

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    CANNOT_TELL = "cannot tell"


class Method(str, Enum):
    """What was compared with what."""

    PAIRS = "interleaved pairs"
    REPETITIONS = "repetitions"
    RUNS = "runs"
    TOKENS = "the same tokens"
    TASKS = "the same tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is compared. ``step`` and ``variant`` are empty where a figure is not of one; ``scope`` is the figure's."""

    aspect: Aspect
    title: str
    unit: str
    step: str = ""
    variant: str = ""
    turn: int | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one figure changed from the base to the candidate.

    ``change_ratio`` is the candidate's geometric mean over the base's, less 1; ``interval`` its 95 % interval.
    ``smallest_visible_ratio`` is the change that this data would have shown with a probability of 80 %.
    ``probability`` is Holm's, corrected for all figures of the comparison. These are ``None`` where ``reason`` says
    why; ``reason`` is empty for an answer that speaks for itself. Counts are of pairs, repetitions or runs; a
    median is ``None`` where there are no pairs. Of ``Aspect.FIDELITY`` counts are of tokens, the medians are the share
    of them after which both sides hold the same token for the likeliest, and ``reason`` tells the divergence; or, of
    ``Method.TASKS``, counts are of tasks, the medians the shares that were answered right, and ``change_ratio`` is the
    difference of the two. Of ``Aspect.PERPLEXITY`` counts are of a text's windows, and the medians are the perplexities
    of all of these.
    """

    subject: Subject
    base_median: float | None
    candidate_median: float | None
    base_count: int
    candidate_count: int
    method: Method
    change_ratio: float | None = None
    interval: Interval | None = None
    smallest_visible_ratio: float | None = None
    probability: float | None = None
    answer: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact that the two sides do not share. ``across`` marks one that makes figures hard to compare at all."""

    name: str
    base: str
    candidate: str
    across: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sides, what tells them apart, and how each figure changed.

    ``base`` and ``candidate`` name the runs. ``no_difference_ratio`` is what still counted as none; ``tested_count``
    how many figures the correction was for. ``notes`` are what a reader must know.
    """

    base: tuple[str, ...]
    candidate: tuple[str, ...]
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    no_difference_ratio: float
    tested_count: int
    notes: tuple[str, ...] = ()
