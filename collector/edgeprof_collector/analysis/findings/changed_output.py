"""A variant that does not say what the plan's first does: an operator, a cache type or a version changes the output."""

from edgeprof_collector.analysis.fidelity import Divergence, FidelityVerdict
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.beside_first import beside_first_text
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.verdict import Finding, Severity


def changed_output(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant and fidelity step whose next tokens have moved away from the first variant's.

    Where the variant is faster, the gain is named: it was paid for with the output.
    """
    return tuple(_finding(evidence, each) for each in evidence.fidelity if each.divergence.has_moved)


def _finding(evidence: Evidence, moved: FidelityVerdict) -> Finding:
    divergence = divergence_text(moved.divergence)
    return Finding(
        name=FindingName.CHANGED_OUTPUT,
        severity=Severity.WARNING,
        title=f"{moved.variant_name} does not say what {moved.reference_name} says",
        evidence=f"{moved.step_name}: {divergence}; {beside_first_text(evidence, moved.variant)}",
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
