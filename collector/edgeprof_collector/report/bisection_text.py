"""A search for the first slower build, in words."""

from collections.abc import Sequence

from edgeprof_collector.analysis.comparison.bisection import Conclusion, Search, Trial
from edgeprof_collector.report.comparison_rows import change_row

_WORDS = {True: "slower", False: "not slower", None: "cannot tell"}


def trial_line(trial: Trial, builds: Sequence[str]) -> str:
    """A build, what changed from the first to it, and on which side of the search it fell."""
    row = change_row(trial.change)
    change = f"{row.change} ({row.interval})" if row.interval else row.reason
    step = f"{trial.change.subject.step}, " if trial.change.subject.step else ""
    return f"{builds[trial.index]}: {step}{row.title} {change}, n {row.count}: {_WORDS[trial.is_slower]}"


def conclusion_line(found: Search, builds: Sequence[str]) -> str:
    """What the search came to."""
    if found.conclusion is Conclusion.FOUND and found.first_bad is not None:
        return f"first slower: {builds[found.first_bad]} (the one before it: {builds[found.last_good]})"
    if found.conclusion is Conclusion.NONE_SLOWER:
        return f"none slower: {builds[-1]} is as fast as {builds[0]}, or faster"
    if found.first_bad is None:
        return f"cannot tell whether {builds[-1]} is slower than {builds[0]}: more --repetitions, or a calmer machine"
    left = ", ".join(builds[found.last_good + 1 : found.first_bad + 1])
    return f"cannot tell which is the first slower one of: {left}"
