"""How far each variant's output is from the first one's, a line each."""

from edgeprof_collector.analysis.findings.changed_output import divergence_text
from edgeprof_collector.analysis.verdict import Verdict


def fidelity_lines(verdict: Verdict) -> tuple[str, ...]:
    """One line per variant and fidelity step."""
    return tuple(
        f"{each.step_name}, {each.variant_name} against {each.reference_name}: {divergence_text(each.divergence)}"
        for each in verdict.fidelity
    )
