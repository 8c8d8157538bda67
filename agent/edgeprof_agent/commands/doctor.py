"""`edgeprof-agent doctor`: what this device can and cannot measure, and what would change that."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from edgeprof_agent.commands.doctor_text import report_text
from edgeprof_agent.sensors.diagnosis.examination import FamilyReport, count_refused, examine


def diagnose_device(*, as_json: bool) -> int:
    """Print what this device measures. Returns the exit status: 1 if something is refused that could be had, else 0."""
    reports = examine(Path("/"), follow=os.getpid())
    if as_json:
        sys.stdout.write(report_json(reports))
    else:
        sys.stdout.write(report_text(reports, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    return 1 if count_refused(reports) else 0


def report_json(reports: Sequence[FamilyReport]) -> str:
    """Return the findings for scripts: a list of families."""
    return json.dumps({"families": [asdict(report) for report in reports]}, indent=2) + "\n"
