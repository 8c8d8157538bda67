"""A variant that answers fewer of the small tasks right than the plan's first does."""

from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.beside_first import beside_first_text
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.paired_answers import PairedAnswers
from edgeprof_collector.analysis.task_answers import TasksVerdict, counts_text
from edgeprof_collector.analysis.thresholds import CHANGE_SIGNIFICANCE
from edgeprof_collector.analysis.verdict import Finding, Severity


def lost_answers(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised per variant and tasks step in which the loss of right answers is no chance.

    As in a comparison the exact test of paired answers decides, corrected for the number of variants and steps that it
    is made for (Bonferroni). Where the variant is faster, the gain is named: it was paid for with the answers.
    """
    paired = [(each, each.against_first) for each in evidence.tasks if each.against_first is not None]
    return tuple(
        _finding(evidence, each, found)
        for each, found in paired
        if found.lost > found.gained and found.probability() * len(paired) <= CHANGE_SIGNIFICANCE
    )


def _finding(evidence: Evidence, lost: TasksVerdict, found: PairedAnswers) -> Finding:
    first = next(each for each in evidence.tasks if (each.step, each.variant) == (lost.step, 0))
    answers = (
        f"{lost.step_name}: {counts_text(first.counts)} -> {counts_text(lost.counts)}; of the same tasks {found.lost} "
        f"answers were lost and {found.gained} gained, which chance does with a probability of "
        f"{found.probability():.2g}"
    )
    return Finding(
        name=FindingName.CHANGED_OUTPUT,
        severity=Severity.WARNING,
        title=f"{lost.variant_name} answers fewer tasks right than {lost.reference_name}",
        evidence=f"{answers}; {beside_first_text(evidence, lost.variant)}",
        advice=(
            f"stay with {lost.reference_name}, or find out what {lost.variant_name} loses at your own tasks before you "
            "take a rate of it for a gain"
        ),
    )
