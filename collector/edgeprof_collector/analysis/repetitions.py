"""The requests of a run, grouped by step, variant and repetition, and the stretches of time within them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeprof.plan import Step
from edgeprof.run import Request, RunRecord, StepRef

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of monotonic time in which ``tokens`` tokens were processed."""

    start_monotonic_ns: int
    end_monotonic_ns: int
    tokens: int

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end_monotonic_ns - self.start_monotonic_ns) / _SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRepetition:
    """One repetition as it was recorded. ``requests`` are in the order of their index.

    ``complete`` is false where the run was cut before all of its requests were whole.
    """

    reference: StepRef
    start_monotonic_ns: int
    end_monotonic_ns: int
    requests: tuple[Request, ...]
    complete: bool


def group_repetitions(record: RunRecord) -> dict[tuple[int, int], tuple[RecordedRepetition, ...]]:
    """The repetitions of each timed (step, variant) that has any, in the order of time.

    A repetition spans its requests: what came before them in its phase, such as filling the context up to the step's
    depth, was not timed.
    """
    requests: dict[StepRef, list[Request]] = defaultdict(list)
    for request in record.requests:
        if request.step is not None and record.started.plan.steps[request.step.step].kind.is_timed:
            requests[request.step].append(request)
    grouped: dict[tuple[int, int], list[RecordedRepetition]] = defaultdict(list)
    for reference, found in requests.items():
        step = record.started.plan.steps[reference.step]
        grouped[reference.step, reference.variant].append(
            RecordedRepetition(
                reference=reference,
                start_monotonic_ns=min(request.start_monotonic_ns for request in found),
                end_monotonic_ns=max(request.end_monotonic_ns for request in found),
                requests=tuple(sorted(found, key=lambda request: request.index)),
                complete=sum(is_whole(request, step) for request in found) >= step.request_count,
            )
        )
    return {
        key: tuple(sorted(found, key=lambda repetition: repetition.start_monotonic_ns))
        for key, found in sorted(grouped.items())
    }


def last_moment_ns(record: RunRecord) -> int:
    """The end of a run, or of what is known of it."""
    if record.finished is not None and record.finished.monotonic_ns is not None:
        return record.finished.monotonic_ns
    ends = [each.end_monotonic_ns for each in record.phases] + [each.end_monotonic_ns for each in record.requests]
    return max(ends, default=record.started.monotonic_ns)


def is_whole(request: Request, step: Step) -> bool:
    """Whether a request of ``step`` generated all the tokens that the step asks for."""
    return generated_tokens(request) >= step.decode_tokens


def processed_tokens(request: Request) -> int:
    """Prompt tokens that the engine had to process: those not found in its cache."""
    return max(request.prompt_tokens - request.reused_tokens, 0)


def generated_tokens(request: Request) -> int:
    """Tokens of all token events."""
    return sum(request.token_counts) if request.token_counts else len(request.token_gaps_ns)


def prefill_window(request: Request) -> Window | None:
    """From the start until the prompt is processed; ``None`` if the request processes no prompt."""
    tokens = processed_tokens(request)
    if not tokens or request.prefill_end_monotonic_ns <= request.start_monotonic_ns:
        return None
    return Window(request.start_monotonic_ns, request.prefill_end_monotonic_ns, tokens)


def decode_window(request: Request) -> Window | None:
    """From the first token event to the last, with the tokens that came after the first event."""
    tokens = sum(request.token_counts[1:]) if request.token_counts else len(request.token_gaps_ns) - 1
    duration_ns = sum(request.token_gaps_ns[1:])
    if tokens <= 0 or not duration_ns:
        return None
    first_ns = request.start_monotonic_ns + request.token_gaps_ns[0]
    return Window(first_ns, first_ns + duration_ns, tokens)


def token_gaps_seconds(requests: Iterable[Request]) -> NDArray[np.float64]:
    """The gap before every token after a request's first event; an event of k tokens counts as k gaps of a k-th.

    A request that tells of all its tokens together, with nothing but an empty event before them, has no gaps.
    """
    parts = [np.zeros(0)]
    for request in requests:
        if request.token_counts[:1] == (0,) and len(request.token_counts) == 2:
            continue
        gaps = np.array(request.token_gaps_ns[1:], np.float64) / _SECOND_NS
        if request.token_counts:
            counts = np.array(request.token_counts[1:], np.int64)
            gaps = np.repeat(gaps / np.maximum(counts, 1), counts)
        parts.append(gaps)
    return np.concatenate(parts)


def mean_decode_depth(request: Request) -> float:
    """Mean tokens of context that each token after the first was decoded on top of, in a decode step's request."""
    return request.depth_tokens + generated_tokens(request) / 2
