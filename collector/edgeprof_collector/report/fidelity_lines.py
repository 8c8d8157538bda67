"""How far each variant's output is from the first one's, what it answers, how well it foresees a text, a line each."""

from edgeprof_collector.analysis.findings.changed_output import divergence_text
from edgeprof_collector.analysis.perplexity import PerplexityVerdict
from edgeprof_collector.analysis.task_answers import TasksVerdict, counts_text
from edgeprof_collector.analysis.verdict import Verdict

_SHOWN_WRONG = 3


def fidelity_lines(verdict: Verdict) -> tuple[str, ...]:
    """One line per variant and fidelity step."""
    return tuple(
        f"{each.step_name}, {each.variant_name} against {each.reference_name}: {divergence_text(each.divergence)}"
        for each in verdict.fidelity
    )


def perplexity_lines(verdict: Verdict) -> tuple[str, ...]:
    """One line per variant and perplexity step."""
    return tuple(_perplexity_line(each, verdict) for each in verdict.perplexity)


def tasks_lines(verdict: Verdict) -> tuple[str, ...]:
    """One line per variant and tasks step."""
    return tuple(_tasks_line(each, verdict) for each in verdict.tasks)


def _tasks_line(found: TasksVerdict, verdict: Verdict) -> str:
    name = f"{found.step_name}, {found.variant_name}" if len(verdict.variants) > 1 else found.step_name
    paired = found.against_first
    against = f"; against {found.reference_name} {paired.lost} lost, {paired.gained} gained" if paired else ""
    wrong = [each for each in found.outcomes if not each.right]
    shown = [f"{each.question} {each.answered or 'nothing'}" for each in wrong[:_SHOWN_WRONG]]
    examples = f"; wrong: {' | '.join(shown)}{' ...' if len(wrong) > len(shown) else ''}" if wrong else ""
    return f"{name}: {counts_text(found.counts)} right{against}{examples}"


def _perplexity_line(found: PerplexityVerdict, verdict: Verdict) -> str:
    name = f"{found.step_name}, {found.variant_name}" if len(verdict.variants) > 1 else found.step_name
    change = (
        f", {100 * found.change_ratio:+.3g} % against {found.reference_name}" if found.change_ratio is not None else ""
    )
    windows = "window" if found.window_count == 1 else "windows"
    return (
        f"{name}: {found.perplexity:.5g} over {found.token_count:,} tokens in {found.window_count} {windows} "
        f"({found.lowest:.5g} to {found.highest:.5g}){change}"
    )
