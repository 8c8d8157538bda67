"""A prompt whose clock stopped when its work was queued, or that was never processed. Needs no ceiling."""

from collections.abc import Iterator, Sequence
from statistics import median

from edgeprof.run import Request
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.repetitions import Window, prefill_window
from edgeprof_collector.analysis.thresholds import (
    PROMPT_TO_TOKEN_RATIO,
    UNFINISHED_MIN_PROMPT_TOKENS,
    UNFINISHED_PHASE_RATIO,
    UNFINISHED_TOKEN_RATIO,
)
from edgeprof_collector.analysis.verdict import FigureName, Finding, Severity, StepVerdict

_SECOND_NS = 1_000_000_000
# A first event, the one that may be late, and two that say what one takes.
_LEAST_EVENTS = 4


def unfinished_work(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per step whose prompts were paid for by the token after them, or took less time than a single token.

    Both are judged by the median over all requests of the step, so that one hiccup raises nothing.
    """
    findings = []
    for step in evidence.steps:
        requests = [(each, window) for each in _requests(evidence, step) if (window := _long_prompt(each))]
        found = _paid_later(requests) or _faster_than_a_token(evidence, step, [window for _, window in requests])
        if found:
            findings.append(_finding(evidence.title(step), found))
    return tuple(findings)


def _requests(evidence: Evidence, step: StepVerdict) -> Iterator[Request]:
    for request in evidence.record.requests:
        if request.step is not None and (request.step.step, request.step.variant) == (step.step, step.variant):
            yield request


def _long_prompt(request: Request) -> Window | None:
    window = prefill_window(request)
    return window if window is not None and window.tokens >= UNFINISHED_MIN_PROMPT_TOKENS else None


def _paid_later(requests: Sequence[tuple[Request, Window]]) -> str:
    """The evidence, if what followed the prompt took its time."""
    late = [(request, window) for request, window in requests if len(request.token_gaps_ns) >= _LEAST_EVENTS]
    if not late:
        return ""
    prompt_seconds = median(window.seconds for _, window in late)
    after_seconds = median(_seconds_after_prompt(request) for request, _ in late)
    token_seconds = median(gap for request, _ in late for gap in request.token_gaps_ns[2:]) / _SECOND_NS
    expected = max(prompt_seconds * UNFINISHED_PHASE_RATIO, token_seconds * UNFINISHED_TOKEN_RATIO)
    if after_seconds - token_seconds <= expected:
        return ""
    return (
        f"{late[0][1].tokens} prompt tokens took {text_of(prompt_seconds, 's')}, the token after them "
        f"{text_of(after_seconds, 's')}, each later one {text_of(token_seconds, 's')}: the prompt was still being "
        "processed when its clock stopped"
    )


def _seconds_after_prompt(request: Request) -> float:
    """The longest of what came next: the first token, where it is told later than the prompt's end, and the second."""
    first_token_ns = request.start_monotonic_ns + request.token_gaps_ns[0]
    return max(first_token_ns - request.prefill_end_monotonic_ns, request.token_gaps_ns[1]) / _SECOND_NS


def _faster_than_a_token(evidence: Evidence, step: StepVerdict, windows: Sequence[Window]) -> str:
    """The evidence, if a prompt took less time than the fastest tokens of this variant."""
    of_variant = [each.figure(FigureName.ITL) for each in evidence.steps if each.variant == step.variant]
    token_seconds = min((figure.median for figure in of_variant if figure), default=None)
    if not windows or token_seconds is None:
        return ""
    prompt_seconds = median(window.seconds for window in windows)
    if prompt_seconds >= token_seconds * PROMPT_TO_TOKEN_RATIO:
        return ""
    return (
        f"{windows[0].tokens} prompt tokens took {text_of(prompt_seconds, 's')}, less than one decoded token "
        f"({text_of(token_seconds, 's')}), though both must read all weights: the prompt was not processed"
    )


def _finding(title: str, evidence: str) -> Finding:
    return Finding(
        name=FindingName.UNFINISHED_WORK,
        severity=Severity.INVALID,
        title=f"{title}: the prompt's work was not finished when its clock stopped",
        evidence=evidence,
        advice=(
            "do not use the prefill rate and the time to the first token: have the engine wait for its device before "
            "it reads the clock, and check what its calls return"
        ),
    )
