"""What finished runs have found, as series that a newer run of the same work replaces."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from edgeprof.metric import Kind
from edgeprof.result_catalogue import RESULT_LABELS, RESULT_METRICS
from edgeprof.run import RunState
from edgeprof_collector.analysis.verdict import Figure, Severity, Verdict
from edgeprof_collector.exposition.family import Family, series_text
from edgeprof_collector.exposition.names import Labels
from edgeprof_collector.store.records import RunSummary

RUN_INFO = "edgeprof_run_info"
RUN_FINDING = "edgeprof_run_finding"
_WORK_LABELS = ("device", "engine", "engine_version", "model", "quantisation", "plan")
_RUN_INFO_LABELS = (*_WORK_LABELS, "run", "state")
_RUN_FINDING_LABELS = (*_WORK_LABELS, "finding", "severity")

_Key = tuple[str, ...]
_Value = tuple[Family, str, float]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one run put into the families: each family and the text of the series in it."""

    started_wall_ns: int
    series: tuple[tuple[Family, str], ...]


class Results:
    """Families of the catalogue's results, and of each device's latest run. Runs may come in any order."""

    def __init__(self) -> None:
        self._metrics = {
            metric.name: Family(metric.name, Kind.GAUGE.value, metric.help) for metric in RESULT_METRICS.values()
        }
        self._run_info = Family(RUN_INFO, Kind.GAUGE.value, "1 for the latest run of a device")
        self._run_finding = Family(
            RUN_FINDING, Kind.GAUGE.value, "1 for each finding of the latest run of some work, the baseline's included"
        )
        self._shown: dict[_Key, _Shown] = {}

    def families(self) -> Iterator[Family]:
        """All families that there may be values of."""
        yield self._run_info
        yield self._run_finding
        yield from self._metrics.values()

    def announce(self, run: RunSummary) -> None:
        """Show that a run is its device's latest, unless a newer one is known."""
        key = (run.device_id,)
        if not self._is_newest(key, run.started_wall_ns):
            return
        series = series_text(RUN_INFO, run_info_labels(run))
        self._show(key, run.started_wall_ns, [(self._run_info, series, 1.0)])

    def wants(self, run: RunSummary) -> bool:
        """Whether the run's figures would be shown: it succeeded, and no newer run of the same work is shown."""
        return run.state is RunState.SUCCEEDED and self._is_newest(_work(run), run.started_wall_ns)

    def publish(self, run: RunSummary, verdict: Verdict) -> None:
        """Show a run's findings and figures, the latter unless a finding denies them, in place of an older run's."""
        if not self.wants(run):
            return
        self._show(_work(run), run.started_wall_ns, self._values(run, verdict))

    def _values(self, run: RunSummary, verdict: Verdict) -> Iterator[_Value]:
        for name, labels, value in result_values(run, verdict):
            yield self._metrics[name], series_text(name, labels), value
        for finding in verdict.findings:
            told = zip(_RUN_FINDING_LABELS, (*_work(run), finding.name.value, finding.severity.value), strict=True)
            yield self._run_finding, series_text(RUN_FINDING, told), 1.0

    def _is_newest(self, key: _Key, started_wall_ns: int) -> bool:
        shown = self._shown.get(key)
        return shown is None or shown.started_wall_ns <= started_wall_ns

    def _show(self, key: _Key, started_wall_ns: int, values: Iterable[_Value]) -> None:
        """Put ``values`` in the place of those that an older run left under ``key``."""
        if key in self._shown:
            for family, series in self._shown[key].series:
                family.values.pop(series, None)
        new = list(values)
        for family, series, value in new:
            family.values[series] = value
        self._shown[key] = _Shown(started_wall_ns, tuple((family, series) for family, series, _ in new))


def run_info_labels(run: RunSummary) -> Labels:
    """The labels of ``RUN_INFO`` that tell of a run."""
    return tuple(zip(_RUN_INFO_LABELS, (*_work(run), run.run_id, run.state.value), strict=True))


def result_values(run: RunSummary, verdict: Verdict) -> Iterator[tuple[str, Labels, float]]:
    """Name, labels and value of each figure of a run; none if a finding says not to believe them."""
    if any(finding.severity is Severity.INVALID for finding in verdict.findings):
        return
    for name, step, variant, value in _figures(verdict):
        labels = zip(RESULT_LABELS, (*_work(run), step, variant), strict=True)
        yield f"edgeprof_result_{name}", tuple(labels), value


def _work(run: RunSummary) -> _Key:
    """What was run on what: the labels that all figures of a run share. Of a model's path only the file's name."""
    return (
        run.device_id,
        run.engine,
        run.engine_version,
        PurePath(run.model).name,
        run.quantisation,
        run.plan,
    )


def _figures(verdict: Verdict) -> Iterator[tuple[str, str, str, float]]:
    """Yield name, step, variant and value; of the figures of one name and turn, the first."""
    for step in verdict.steps:
        for figure in _first_of_each_scope(step.figures):
            name = step.name if figure.turn is None else f"{step.name}, turn {figure.turn + 1}"
            yield figure.name.value, name, step.variant_name, figure.median
    for variant in verdict.variants:
        for figure in _first_of_each_scope(variant.loads):
            yield figure.name.value, "", variant.name, figure.median
        if len(verdict.variants) > 1 and variant.peak_resident_bytes is not None:
            yield "peak_resident_bytes", "", variant.name, float(variant.peak_resident_bytes)
    memory = verdict.memory
    if memory.peak_resident_bytes is not None:
        yield "peak_resident_bytes", "", "", float(memory.peak_resident_bytes)
    if memory.headroom_ratio is not None:
        yield "headroom_ratio", "", "", memory.headroom_ratio


def _first_of_each_scope(figures: Iterable[Figure]) -> Iterable[Figure]:
    """An energy of several rails has one series: its first, which is the widest. So has a load from two caches."""
    first: dict[tuple[str, int | None], Figure] = {}
    for figure in figures:
        first.setdefault((figure.name, figure.turn), figure)
    return first.values()
