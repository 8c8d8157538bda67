"""`edgeprof run`: ask devices for a run, now, later or again and again."""

import sys
import uuid
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from edgeprof.errors import EdgeprofError
from edgeprof.plan_file import find_plan
from edgeprof_collector.client import Client, JobRequest, ScheduleRequest
from edgeprof_collector.client.asking import ask_again
from edgeprof_collector.commands.job_table import job_table, schedule_table
from edgeprof_collector.commands.options import AsJson, CollectorUrl, client_of
from edgeprof_collector.commands.times import parse_duration_seconds, parse_time
from edgeprof_collector.commands.watch import Output, watch_jobs
from edgeprof_collector.terminal import Terminal


def run(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET...", help="Devices, labels such as family=jetson, or all.")
    ],
    plan: Annotated[str, typer.Option(help="A built-in plan, or a TOML file.")] = "quick",
    model: Annotated[
        str, typer.Option(help="A path on the device, hf:..., or a synthetic shape.", show_default="a shape that fits")
    ] = "",
    engine: Annotated[str, typer.Option(help="An engine of the device.", show_default="the device's first")] = "",
    python: Annotated[str, typer.Option(help="An interpreter of the device.", show_default="the agent's own")] = "",
    at: Annotated[
        str, typer.Option(metavar="TIME", help="Not before this: 02:00, 2026-11-22T02:00.", show_default="now")
    ] = "",
    every: Annotated[
        str, typer.Option(metavar="CRON", help="Again and again: '0 2 * * *' is 02:00 daily.", show_default="once")
    ] = "",
    timezone: Annotated[str, typer.Option(help="In which --every is read.")] = "UTC",
    ttl: Annotated[str, typer.Option(metavar="DURATION", help="Not at all if it cannot start within this.")] = "24h",
    wait: Annotated[bool, typer.Option("--wait", help="Watch until all have ended; exit 1 if one failed.")] = False,
    output: Output = None,
    key: Annotated[
        str, typer.Option(help="Of this request: asking again with it starts nothing new.", show_default="a new one")
    ] = "",
    collector: CollectorUrl = "",
    as_json: AsJson = False,
) -> None:
    """Ask devices for a run. What is off runs it when it is back, unless the time to live is over by then."""
    if every and (at or wait):
        raise EdgeprofError(f"--every and {'--at' if at else '--wait'} exclude each other: leave one of them out")
    if output is not None and not wait:
        raise EdgeprofError("--output takes what --wait has waited for: add --wait, or see edgeprof watch --output")
    request = JobRequest(
        targets=tuple(targets),
        plan=find_plan(plan),
        model=model,
        engine=engine,
        python=python,
        at=parse_time(at, datetime.now().astimezone()) if at else None,
        queue_seconds=parse_duration_seconds(ttl),
        idempotency_key=key or uuid.uuid4().hex,
    )
    with client_of(collector) as client:
        if every:
            _schedule(client, ScheduleRequest(every=every, timezone=timezone, job=request), as_json=as_json)
            return
        jobs = ask_again(lambda: client.submit(request))
        if wait:
            raise typer.Exit(watch_jobs(client, list(jobs), output, as_json=as_json))
        if as_json:
            sys.stdout.write(msgspec.json.encode(jobs).decode() + "\n")
        else:
            Terminal().print(job_table(jobs))


def _schedule(client: Client, request: ScheduleRequest, *, as_json: bool) -> None:
    schedule = ask_again(lambda: client.add_schedule(request))
    if as_json:
        sys.stdout.write(msgspec.json.encode(schedule).decode() + "\n")
    else:
        Terminal().print(schedule_table([schedule]))
