"""Rates and latencies of a step, from the raw times of its requests."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from edgeprof.plan import Step, StepKind
from edgeprof.run import ModelLoaded, Request
from edgeprof_collector.analysis.definitions import figure
from edgeprof_collector.analysis.repetitions import (
    RecordedRepetition,
    Window,
    decode_window,
    is_whole,
    prefill_window,
    token_gaps_seconds,
)
from edgeprof_collector.analysis.statistics import gap_percentiles
from edgeprof_collector.analysis.thresholds import COLD_PAGE_CACHE_RATIO, WARM_PAGE_CACHE_RATIO
from edgeprof_collector.analysis.verdict import Figure, FigureName, Sample, TokenGaps

_SECOND_NS = 1_000_000_000


def rate_figures(step: Step, repetitions: Sequence[RecordedRepetition]) -> list[Figure]:
    """The figures that this step's kind has and its repetitions give.

    A chat has its prefill rate and latencies per turn, its decode rate and inter-token latency over all turns.
    A decode step has no time to the first token: it feeds fixed tokens and processes no prompt. The rate and latency
    of a parallel step are those of one sequence, beside the rate of all together. A rows step has the time of a call,
    and a row's share of it, in place of the latency between tokens.
    """
    figures = []
    if step.prompt_tokens:
        figures += _per_turn(FigureName.PREFILL_RATE, step, repetitions, _prefill_rate)
        figures += _per_turn(FigureName.TTFT, step, repetitions, _ttft_seconds)
        figures += _per_turn(FigureName.E2E_LATENCY, step, repetitions, partial(_e2e_seconds, step))
    if step.kind is StepKind.PARALLEL:
        figures += _figures_of(FigureName.AGGREGATE_RATE, repetitions, decode_windows, _rate)
    if step.decode_tokens:
        figures += _figures_of(FigureName.DECODE_RATE, repetitions, _request_windows, _rate)
    if step.kind is StepKind.ROWS:
        figures += _figures_of(FigureName.CALL_TIME, repetitions, _request_windows, partial(_seconds_per, step.rows))
        figures += _figures_of(FigureName.ROW_TIME, repetitions, _request_windows, partial(_seconds_per, 1))
    elif step.decode_tokens:
        figures += _figures_of(FigureName.ITL, repetitions, _request_windows, partial(_seconds_per, 1))
    return figures


def token_gaps(repetitions: Sequence[RecordedRepetition]) -> TokenGaps | None:
    """The gaps between tokens of all repetitions together; ``None`` if there is none."""
    gaps = [token_gaps_seconds(repetition.requests) for repetition in repetitions]
    gaps = [each for each in gaps if each.size]
    if not gaps:
        return None
    return TokenGaps(
        gap_count=sum(each.size for each in gaps),
        percentiles=gap_percentiles(gaps),
        longest_seconds=max(float(each.max()) for each in gaps),
    )


def load_figures(loads: Iterable[ModelLoaded]) -> tuple[Figure, ...]:
    """Load times of one variant, those from a cold, a warm and a partly filled page cache apart."""
    by_cache: dict[str, list[Sample]] = defaultdict(list)
    for index, loaded in enumerate(loads):
        by_cache[_page_cache(loaded.page_cache_ratio)].append(Sample(index, loaded.load_seconds))
    return tuple(figure(FigureName.LOAD_TIME, samples, scope=scope) for scope, samples in by_cache.items())


def decode_windows(repetition: RecordedRepetition) -> tuple[Window, ...]:
    """The stretches in which a complete repetition decoded; those of requests that overlap are one stretch."""
    joined: list[Window] = []
    for window in sorted(_request_windows(repetition), key=lambda each: each.start_monotonic_ns):
        if joined and window.start_monotonic_ns < joined[-1].end_monotonic_ns:
            last = joined.pop()
            end_ns = max(last.end_monotonic_ns, window.end_monotonic_ns)
            joined.append(Window(last.start_monotonic_ns, end_ns, last.tokens + window.tokens))
        else:
            joined.append(window)
    return tuple(joined)


def _request_windows(repetition: RecordedRepetition) -> tuple[Window, ...]:
    """The decode windows of all requests of a complete repetition; none if the repetition was cut."""
    if not repetition.complete:
        return ()
    return tuple(window for request in repetition.requests if (window := decode_window(request)))


def _figures_of(
    name: FigureName,
    repetitions: Sequence[RecordedRepetition],
    windows_of: Callable[[RecordedRepetition], Sequence[Window]],
    measure: Callable[[int, float], float],
) -> list[Figure]:
    """The figure that ``measure`` makes of the tokens and seconds of each repetition's windows, if any has some."""
    samples = []
    for repetition in repetitions:
        if windows := windows_of(repetition):
            tokens = sum(window.tokens for window in windows)
            seconds = sum(window.seconds for window in windows)
            samples.append(Sample(repetition.reference.repetition, measure(tokens, seconds)))
    return [figure(name, samples)] if samples else []


def _rate(tokens: int, seconds: float) -> float:
    return tokens / seconds


def _seconds_per(group_tokens: int, tokens: int, seconds: float) -> float:
    return seconds / tokens * group_tokens


def _per_turn(
    name: FigureName,
    step: Step,
    repetitions: Sequence[RecordedRepetition],
    measure: Callable[[Request], float | None],
) -> list[Figure]:
    """One figure per turn of a chat, one for the whole of any other step."""
    figures = []
    for turn in range(step.turns):
        samples = [
            Sample(repetition.reference.repetition, value)
            for repetition in repetitions
            for request in repetition.requests
            if request.index == turn and (value := measure(request)) is not None
        ]
        if samples:
            figures.append(figure(name, samples, turn=turn if step.kind is StepKind.CHAT else None))
    return figures


def _prefill_rate(request: Request) -> float | None:
    window = prefill_window(request)
    return window.tokens / window.seconds if window else None


def _ttft_seconds(request: Request) -> float | None:
    return request.token_gaps_ns[0] / _SECOND_NS if request.token_gaps_ns else None


def _e2e_seconds(step: Step, request: Request) -> float | None:
    """``None`` for a request that was cut: its last token is not the last."""
    return sum(request.token_gaps_ns) / _SECOND_NS if request.token_gaps_ns and is_whole(request, step) else None


def _page_cache(ratio: float | None) -> str:
    if ratio is None:
        return "page cache unknown"
    if ratio <= COLD_PAGE_CACHE_RATIO:
        return "cold page cache"
    if ratio >= WARM_PAGE_CACHE_RATIO:
        return "warm page cache"
    return "partly cached"
