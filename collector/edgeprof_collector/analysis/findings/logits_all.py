"""Logits computed for every token of a prompt, though nothing reads them."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower, twins
from edgeprof_collector.analysis.options import options_in_force
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.verdict import FigureName, Finding, Severity

_OPTION, _ON = "logits_all", "true"
# Logits are 32-bit floats.
_LOGIT_BYTES = 4


def logits_all(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant with the option on. Its cost is shown where another variant differs in nothing else.

    It is a note where that one is not slower.
    """
    return tuple(
        _finding(evidence, variant)
        for variant in range(len(evidence.record.started.plan.variants))
        if options_in_force(evidence.record, variant).get(_OPTION) == _ON
    )


def _finding(evidence: Evidence, variant: int) -> Finding:
    record = evidence.record
    tokens = max(step.prompt_tokens for step in record.started.plan.steps)
    logits = bytes_text(tokens * record.started.model.vocabulary_size * _LOGIT_BYTES)
    told = [f"{_OPTION} = {_ON}: a prompt of {tokens} tokens makes {logits} of logits that nothing reads"]
    others = [other for other in twins(record, variant, _OPTION) if asked_options(record, other).get(_OPTION) != _ON]
    costs = [cost for other in others for cost in _costs(evidence, variant, other)]
    name = record.started.plan.variants[variant].name
    return Finding(
        name=FindingName.LOGITS_ALL,
        severity=Severity.NOTE if others and not costs else Severity.WARNING,
        title=f"{name}: logits are computed for every token of a prompt",
        evidence="; ".join(told + costs),
        advice=f"turn {_OPTION} off: the next token needs the logits of the last one alone",
    )


def _costs(evidence: Evidence, variant: int, other: int) -> list[str]:
    costs = []
    for step in evidence.steps:
        rate = step.figure(FigureName.PREFILL_RATE)
        twin = evidence.step_of(step.step, other)
        without = twin.figure(FigureName.PREFILL_RATE) if twin else None
        if step.variant == variant and rate and without and is_slower(rate, without):
            share = 1 - rate.median / without.median
            costs.append(
                f"{step.name} reads {text_of(rate.median, rate.unit)} with it, "
                f"{text_of(without.median, rate.unit)} without: it costs {share:.0%}"
            )
    return costs
