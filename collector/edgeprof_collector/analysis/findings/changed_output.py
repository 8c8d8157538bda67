"""A variant that does not say what the plan's first does: an operator, a cache type or a version changes the output."""

from collections.abc import Iterator, Mapping

from edgeprof_collector.analysis.fidelity import Divergence, FidelityVerdict
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rate_pair import rate_pairs
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.findings.twins import asked_options, is_slower
from edgeprof_collector.analysis.verdict import Finding, Severity


def changed_output(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant and fidelity step whose next tokens have moved away from the first variant's.

    Where the variant is faster, the gain is named: it was paid for with the output.
    """
    return tuple(_finding(evidence, each) for each in evidence.fidelity if each.divergence.has_moved)


def _finding(evidence: Evidence, moved: FidelityVerdict) -> Finding:
    gains = list(_gains(evidence, moved.variant))
    differing = _differing(asked_options(evidence.record, 0), asked_options(evidence.record, moved.variant))
    told = [f"{moved.step_name}: {divergence_text(moved.divergence)}"]
    told.append(f"its options differ in {', '.join(differing)}" if differing else "the options are the same")
    if gains:
        told.append(f"what it gains must be weighed against that: {', '.join(gains)}")
    return Finding(
        name=FindingName.CHANGED_OUTPUT,
        severity=Severity.WARNING,
        title=f"{moved.variant_name} does not say what {moved.reference_name} says",
        evidence="; ".join(told),
        advice=(
            f"do not take a rate of {moved.variant_name} for a gain before you have judged its answers at your own "
            f"tasks; else stay with {moved.reference_name}"
        ),
    )


def divergence_text(found: Divergence) -> str:
    """What was found, in numbers."""
    mean, largest = f"{found.kl_mean_nats:.3g} nats per token", f"largest {found.kl_largest_nats:.3g}"
    parts = [f"KL divergence {mean} over {found.token_count} tokens ({largest})"]
    if found.kl_prompt_nats is not None and found.kl_single_nats is not None:
        parts.append(f"{found.kl_prompt_nats:.3g} in the prompt and {found.kl_single_nats:.3g} one token at a time")
    parts.append(f"the likeliest next token is the same after {found.same_top_ratio:.1%}")
    parts.append(f"a probability differs by up to {found.largest_difference:.2f}")
    return ", ".join(parts)


def _gains(evidence: Evidence, variant: int) -> Iterator[str]:
    """Each rate in which the variant is faster than the first, with how much."""
    for pair in rate_pairs(evidence, variant):
        if is_slower(pair.first, pair.other):
            yield f"{pair.other_text} ({pair.change_ratio:+.0%})"


def _differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return [f"{name} ({ours.get(name, 'none')} -> {theirs.get(name, 'none')})" for name in names]
