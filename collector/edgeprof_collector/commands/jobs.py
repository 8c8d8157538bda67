"""`edgeprof jobs`: what was asked of devices, and how it stands; `edgeprof cancel`: give it up."""

import sys
from typing import Annotated

import msgspec
import typer

from edgeprof_collector.client.job_names import find_id
from edgeprof_collector.commands.job_table import change_table, job_table, schedule_table
from edgeprof_collector.commands.options import AsJson, CollectorUrl, client_of
from edgeprof_collector.terminal import Terminal

_MOST = 100_000


def jobs(
    job: Annotated[str, typer.Argument(metavar="[JOB]", help="All that became of this job.", show_default=False)] = "",
    last: Annotated[int, typer.Option("-n", "--last", min=1, max=_MOST, help="How many to list.")] = 20,
    collector: CollectorUrl = "",
    as_json: AsJson = False,
) -> None:
    """List the jobs that were asked for last, the latest first, and the schedules that go on."""
    with client_of(collector) as client:
        if job:
            job_id = find_id(job, [one.job_id for one in client.jobs(_MOST)], "job")
            one, changes = client.job(job_id), client.job_changes(job_id)
            if as_json:
                sys.stdout.write(msgspec.json.encode({"job": one, "changes": changes}).decode() + "\n")
            else:
                Terminal().print(job_table([one]), "", change_table(changes))
            return
        found, schedules = client.jobs(last), client.schedules()
    if as_json:
        sys.stdout.write(msgspec.json.encode({"jobs": found, "schedules": schedules}).decode() + "\n")
        return
    if found:
        Terminal().print(job_table(found))
    if schedules:
        Terminal().print(*([""] if found else []), schedule_table(schedules))
    if not found and not schedules:
        typer.echo("no jobs yet: edgeprof run asks for one")


def cancel(
    names: Annotated[list[str], typer.Argument(metavar="JOB...", help="Jobs or schedules, by the first of their ids.")],
    collector: CollectorUrl = "",
) -> None:
    """Give jobs and schedules up. One that runs ends as soon as its device hears of it."""
    with client_of(collector) as client:
        schedule_ids = [schedule.schedule_id for schedule in client.schedules()]
        job_ids = [job.job_id for job in client.jobs(_MOST)]
        for found in [find_id(name, [*job_ids, *schedule_ids], "job or schedule") for name in names]:
            if found in schedule_ids:
                client.cancel_schedule(found)
                typer.echo(f"schedule {found[:8]}: no more jobs; those that it has made stay")
            else:
                job = client.cancel(found)
                told = "its device is told" if not job.state.final else job.reason
                typer.echo(f"job {found[:8]} on {job.device_id}: {job.state.value}{f' ({told})' if told else ''}")
