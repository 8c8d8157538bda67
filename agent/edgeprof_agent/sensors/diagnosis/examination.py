"""Every family asked, and an answer for every metric that it could give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeprof.catalogue import METRICS
from edgeprof_agent.sensors.diagnosis.obstacle import FamilyDiagnosis, Obstacle, State
from edgeprof_agent.sensors.diagnosis.registry import DIAGNOSES
from edgeprof_agent.sensors.survey import FamilySurvey, survey

_ORDER = {metric: index for index, metric in enumerate(METRICS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A metric that was read just now: in how many channels, and from where."""

    metric: str
    channels: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyReport:
    """What a family measures, what stands in the way of the rest, and what went wrong when it was asked."""

    family: str
    title: str
    measured: tuple[Measured, ...]
    obstacles: tuple[Obstacle, ...]
    problem: str | None


def examine(root: Path, *, follow: int | None = None, gap_seconds: float = 0.25) -> tuple[FamilyReport, ...]:
    """Sample every family of the device under ``root``, and find out about what it does not give.

    Args:
        root: where the device's files are.
        follow: a process for the workload's sensors to read, to show that they can.
        gap_seconds: the time between the two samples.
    """
    surveys = {found.family: found for found in survey(root, follow=follow, gap_seconds=gap_seconds)}
    return tuple(_report(diagnosis, surveys[diagnosis.family], root) for diagnosis in DIAGNOSES)


def _report(diagnosis: FamilyDiagnosis, found: FamilySurvey, root: Path) -> FamilyReport:
    measured = _measured(found)
    missing = [metric for metric in diagnosis.metrics if metric not in {entry.metric for entry in measured}]
    obstacles = _obstacles(diagnosis, found, root) if missing else ()
    relevant = [
        replace(obstacle, metrics=left)
        for obstacle in obstacles
        if (left := tuple(metric for metric in obstacle.metrics if metric in missing))
    ]
    explained = {metric for obstacle in relevant for metric in obstacle.metrics}
    if unexplained := tuple(metric for metric in missing if metric not in explained):
        reason = found.problem or "this device does not tell"
        relevant.append(Obstacle(metrics=unexplained, state=State.ABSENT, source=diagnosis.family, reason=reason))
    return FamilyReport(
        family=diagnosis.family,
        title=diagnosis.title,
        measured=measured,
        obstacles=tuple(relevant),
        problem=found.problem,
    )


def _obstacles(diagnosis: FamilyDiagnosis, found: FamilySurvey, root: Path) -> Sequence[Obstacle]:
    if found.problem is not None and diagnosis.problem is not None:
        return (diagnosis.problem(found.problem),)
    return diagnosis.obstacles(root)


def _measured(found: FamilySurvey) -> tuple[Measured, ...]:
    sources: dict[str, list[str]] = {}
    for channel, _ in found.readings:
        sources.setdefault(channel.metric, []).append(channel.source)
    return tuple(
        Measured(metric=metric, channels=len(places), sources=tuple(dict.fromkeys(places)))
        for metric, places in sorted(sources.items(), key=lambda entry: _ORDER[entry[0]])
    )


def count_refused(reports: Sequence[FamilyReport]) -> int:
    """Count the obstacles that a remedy would clear away."""
    return sum(obstacle.state is State.REFUSED for report in reports for obstacle in report.obstacles)
