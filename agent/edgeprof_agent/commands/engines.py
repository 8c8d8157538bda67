"""`edgeprof-agent engines`: which engines can be used on this device."""

import asyncio
import sys
from collections.abc import Iterator, Sequence

import msgspec

from edgeprof.engine import EngineReport
from edgeprof_agent.workload.engine_survey import survey_engines


def list_engines(pythons: Sequence[str], *, as_json: bool) -> int:
    """Print every engine under each of the interpreters. Returns the exit status: 0 if one can be used, else 1."""
    reports = asyncio.run(survey_engines(pythons))
    if as_json:
        sys.stdout.write(msgspec.json.encode(reports).decode() + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for report in reports for line in report_lines(report))
    return 0 if any(not report.missing for report in reports) else 1


def report_lines(report: EngineReport) -> Iterator[str]:
    """What is said of one engine on a terminal."""
    if report.missing:
        yield f"{report.name}: not usable"
        yield f"    {report.missing}"
        return
    python = f", Python {report.python_version}: {report.python}" if report.python else ""
    yield f"{report.name} {report.version}{python}"
    if report.build:
        yield f"    {report.build}"
    if report.options:
        yield f"    options: {', '.join(option.name for option in report.options)}"
