"""The report of a judged run, as a file."""

import os
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof_collector.client.judging import JudgedRun
from edgeprof_collector.report.html import render


def write_report(judged: JudgedRun, folder: Path) -> Path:
    """Write the report page of a run into ``folder`` and return its path.

    Raises:
        EdgeprofError: the folder or the file cannot be written; the run stays in the store.
    """
    run_id = judged.record.started.run_id
    path = folder / f"{run_id}.html"
    unfinished = path.with_suffix(".unfinished")
    make_report_folder(folder)
    try:
        unfinished.write_text(render(judged.record, judged.series, judged.verdict), encoding="utf-8")
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
