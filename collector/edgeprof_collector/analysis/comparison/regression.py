"""A run that is worse than the baseline it is held against."""

from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.difference import differences
from edgeprof_collector.analysis.comparison.result import Answer, Change, Comparison
from edgeprof_collector.analysis.comparison.side import RunData, run_values
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Finding, Severity

_SHOWN_CHANGES = 4
_DEVICE = "device"


def regression(baseline: RunData, run: RunData) -> tuple[Finding, ...]:
    """Raised when any figure was shown to be worse than in ``baseline``, a run of the same plan and model.

    Silent where the two cannot be compared: the plan or the model has changed under the same name, the variants are
    others, or nothing was completed in both.
    """
    across = {each.name for each in differences([baseline], [run]) if each.across}
    if across - {_DEVICE} or baseline.variants != run.variants:
        return ()
    if not run_values(baseline, by_variant=True).keys() & run_values(run, by_variant=True).keys():
        return ()
    comparison = compare([baseline], [run], across=True)
    worse = [change for change in comparison.changes if change.answer is Answer.WORSE]
    return (_finding(baseline, comparison, worse),) if worse else ()


def _finding(baseline: RunData, comparison: Comparison, worse: list[Change]) -> Finding:
    worst = sorted(worse, key=lambda change: -abs(change.change_ratio or 0.0))
    parts = [_change_text(change) for change in worst[:_SHOWN_CHANGES]]
    if len(worst) > _SHOWN_CHANGES:
        parts.append(f"{len(worst) - _SHOWN_CHANGES} figures more")
    causes = [f"{each.name} {each.base} -> {each.candidate}" for each in comparison.differences]
    parts.append(f"what differs: {', '.join(causes)}" if causes else "nothing that is recorded differs but the time")
    return Finding(
        name=FindingName.WORSE_THAN_BASELINE,
        severity=Severity.WARNING,
        title=f"Worse than the baseline {baseline.name}",
        evidence="; ".join(parts),
        advice=f"see all of it, and run both again to rule out a bad day: {_command(comparison)}",
    )


def _command(comparison: Comparison) -> str:
    across = " --across" if any(each.across for each in comparison.differences) else ""
    return f"edgeprof compare {comparison.base[0]} {comparison.candidate[0]}{across}"


def _change_text(change: Change) -> str:
    subject = change.subject
    turn = "" if subject.turn is None else f", turn {subject.turn + 1}"
    where = " · ".join(part for part in (subject.step, subject.variant) if part)
    assert change.change_ratio is not None
    assert change.interval is not None
    return (
        f"{where + ': ' if where else ''}{subject.title}{turn} {change.change_ratio:+.1%} "
        f"({change.interval.low:+.1%} to {change.interval.high:+.1%})"
    )
