"""`edgeprof watch`: remote runs as they go on, and what came of them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgeprof_collector.client import Client
from edgeprof_collector.client.job_names import find_id
from edgeprof_collector.commands.options import AsJson, CollectorUrl, client_of
from edgeprof_collector.commands.report_file import make_report_folder, write_report
from edgeprof_collector.fleet.device_display import show_device
from edgeprof_collector.fleet.following import follow
from edgeprof_collector.fleet.job_display import choose_job_display
from edgeprof_collector.fleet.outcome import judged_run, outcome_lines, print_outcome
from edgeprof_collector.store.records import JobRecord
from edgeprof_collector.terminal import Terminal

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
_MOST = 100_000

Output = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write the report page of each run there in the end.", show_default="none"),
]


def watch(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[JOB...|DEVICE]",
            help="Jobs, by the first of their ids; or a device.",
            show_default="jobs that go on",
        ),
    ] = None,
    output: Output = None,
    collector: CollectorUrl = "",
    as_json: AsJson = False,
) -> None:
    """Watch jobs until all have ended, then print what came of them; or a device's values. Ctrl-C ends the watching."""
    with client_of(collector) as client:
        known = client.jobs(_MOST)
        if names and len(names) == 1 and _is_device(client, names[0]):
            raise typer.Exit(_watch_device(client, names[0], as_json=as_json))
        if names:
            ids = [find_id(name, [job.job_id for job in known], "job") for name in names]
            jobs = [client.job(job_id) for job_id in dict.fromkeys(ids)]
        else:
            jobs = [job for job in reversed(known) if not job.state.final]
        if not jobs:
            typer.echo("no job goes on; edgeprof jobs lists those that have ended")
            return
        raise typer.Exit(watch_jobs(client, jobs, output, as_json=as_json))


def _is_device(client: Client, name: str) -> bool:
    return any(name in (device.facts.device_id, device.facts.hostname) for device in client.devices())


def _watch_device(client: Client, name: str, *, as_json: bool) -> int:
    try:
        show_device(client.live(name), Terminal(), as_json=as_json)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def watch_jobs(client: Client, jobs: list[JobRecord], output: Path | None, *, as_json: bool) -> int:
    """Show jobs until all have ended, then what came of them, with reports in ``output`` if it is given.

    Returns:
        the exit status: 1 if one has not succeeded.

    Raises:
        EdgeprofError: the collector is away for too long, or a report cannot be written.
    """
    console = Terminal()
    if output is not None:
        make_report_folder(output)
    job_ids = [job.job_id for job in jobs]
    try:
        with choose_job_display(jobs, console, as_json=as_json) as display:
            for update in follow(client, job_ids):
                display.show(update)
        if as_json:
            lines, all_succeeded = outcome_lines(client, job_ids)
            sys.stdout.write("".join(f"{line}\n" for line in lines))
        else:
            all_succeeded = print_outcome(client, job_ids, console)
        if output is not None:
            _write_reports(client, job_ids, output, as_json=as_json)
    except KeyboardInterrupt:
        typer.echo("The jobs go on: edgeprof watch follows them again, edgeprof cancel ends them.", err=True)
        return EXIT_INTERRUPTED
    return 0 if all_succeeded else EXIT_FAILED


def _write_reports(client: Client, job_ids: Sequence[str], folder: Path, *, as_json: bool) -> None:
    for job_id in job_ids:
        judged = judged_run(client, client.job(job_id))
        if judged:
            typer.echo(f"Report: {write_report(judged, folder)}", err=as_json)
