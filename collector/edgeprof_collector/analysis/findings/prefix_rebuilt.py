"""Later turns of a chat that pay for the whole history instead of for what is new."""

from edgeprof.plan import StepKind
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import FigureName, Finding, Severity, StepVerdict


def prefix_rebuilt(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per chat step whose last turn's time to the first token follows the history's length.

    With the prefix reused, every turn processes as many tokens as the first. Rebuilt, the last of t turns processes
    its whole history too, ``growth`` times as many. The time is called rebuilt above the middle between the two.
    """
    return tuple(
        finding
        for step in evidence.steps
        if step.kind is StepKind.CHAT and step.turns > 1 and (finding := _judge(evidence, step))
    )


def _judge(evidence: Evidence, step: StepVerdict) -> Finding | None:
    last_turn = step.turns - 1
    first, last = step.figure(FigureName.TTFT, turn=0), step.figure(FigureName.TTFT, turn=last_turn)
    if first is None or last is None or not first.median:
        return None
    history_tokens = step.depth_tokens + last_turn * (step.prompt_tokens + step.decode_tokens)
    first_tokens = step.depth_tokens + step.prompt_tokens
    growth = (history_tokens + step.prompt_tokens) / first_tokens
    ratio = last.median / first.median
    if ratio < (1 + growth) / 2:
        return None
    return Finding(
        name=FindingName.PREFIX_REBUILT,
        severity=Severity.WARNING,
        title=f"{evidence.title(step)}: the conversation is processed again on every turn",
        evidence=(
            f"turn {step.turns} took {text_of(last.median, last.unit)} to its first token, {ratio:.1f} times turn 1 "
            f"({text_of(first.median, first.unit)}), with as many new tokens and {history_tokens} of history; "
            f"the engine reused {_reused(evidence, step, last_turn)} tokens"
        ),
        advice="keep the session and its KV cache between turns, and send only what is new",
    )


def _reused(evidence: Evidence, step: StepVerdict, turn: int) -> int:
    return max(
        request.reused_tokens
        for request in evidence.record.requests
        if request.step is not None
        and (request.step.step, request.step.variant, request.index) == (step.step, step.variant, turn)
    )
