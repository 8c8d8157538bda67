"""From a run's data to its verdict and its report."""

import os
from dataclasses import dataclass
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.client import Client
from edgeprof_collector.report.html import render


@dataclass(frozen=True, slots=True)
class Judged:
    """A run, its telemetry, and what the analysis says of them."""

    record: RunRecord
    series: tuple[Series, ...]
    verdict: Verdict

    def write_report(self, folder: Path) -> Path:
        """Write the report page into ``folder`` and return its path.

        Raises:
            EdgeprofError: the folder or the file cannot be written; the run stays in the store.
        """
        run_id = self.record.started.run_id
        path = folder / f"{run_id}.html"
        unfinished = path.with_suffix(".unfinished")
        make_report_folder(folder)
        try:
            unfinished.write_text(render(self.record, self.series, self.verdict), encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise EdgeprofError(
                f"the report cannot be written to {folder}: {error.strerror}; the run is kept: "
                f"edgeprof show {run_id} --output DIR writes its report elsewhere"
            ) from error
        return path


def make_report_folder(folder: Path) -> None:
    """Make the folder of the reports, so that a wrong one is known before the work is done.

    Raises:
        EdgeprofError: it cannot be made, or nothing can be written to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EdgeprofError(
            f"the report cannot be written to {folder}: {error.strerror}; choose another --output"
        ) from error
    if not os.access(folder, os.W_OK):
        raise EdgeprofError(f"the report cannot be written to {folder}: no permission; choose another --output")


def judge(client: Client, record: RunRecord) -> Judged:
    """Fetch a run's telemetry and analyse it."""
    series = collect_series(client.telemetry(record.started.run_id))
    return Judged(record, series, analyse(record, series))
