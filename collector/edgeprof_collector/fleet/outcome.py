"""What came of jobs: the verdict of one, a line for each of several."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobState
from edgeprof_collector.client import Client
from edgeprof_collector.client.judging import JudgedRun, judge_run
from edgeprof_collector.client.stored_run import stored_run
from edgeprof_collector.fleet.job_display import state_style
from edgeprof_collector.report.text import print_verdict
from edgeprof_collector.store.records import JobRecord


def judged_run(client: Client, job: JobRecord) -> JudgedRun | None:
    """The run of a job with its verdict; ``None`` if it had none, or its data have not arrived yet."""
    record = stored_run(client, job.run_id)
    return judge_run(client, record) if record else None


def print_outcome(client: Client, job_ids: Sequence[str], console: Console) -> bool:
    """Print what came of jobs that have ended. Return whether all have succeeded."""
    jobs = [client.job(job_id) for job_id in job_ids]
    if len(jobs) == 1 and (judged := judged_run(client, jobs[0])):
        print_verdict(judged.verdict, console)
        console.print(f"Again:  edgeprof show {jobs[0].run_id}", highlight=False)
    else:
        console.print(_table(client, jobs))
    return all(job.state is JobState.SUCCEEDED for job in jobs)


def outcome_lines(client: Client, job_ids: Sequence[str]) -> tuple[list[str], bool]:
    """Return a line of JSON with each job and its verdict, and whether all have succeeded."""
    jobs = [client.job(job_id) for job_id in job_ids]
    lines = []
    for job in jobs:
        judged = judged_run(client, job)
        content = {"event": "outcome", "outcome": {"job": job, "verdict": judged.verdict if judged else None}}
        lines.append(msgspec.json.encode(content).decode())
    return lines, all(job.state is JobState.SUCCEEDED for job in jobs)


def _table(client: Client, jobs: Sequence[JobRecord]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("device", "state", "run", "result"):
        table.add_column(heading, overflow="fold")
    for job in jobs:
        state = Text(job.state.value, state_style(job.state))
        table.add_row(job.device_id, state, job.run_id, Text(_result(client, job)))
    return table


def _result(client: Client, job: JobRecord) -> str:
    if job.state is not JobState.SUCCEEDED:
        return job.reason
    try:
        judged = judged_run(client, job)
    except EdgeprofError as error:
        return str(error)
    return judged.verdict.headline if judged else "its data have not arrived yet"
