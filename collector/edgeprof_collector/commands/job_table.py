"""Jobs and schedules as tables for a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from edgeprof.job import JobState
from edgeprof_collector.commands.times import local_time
from edgeprof_collector.fleet.job_display import state_style
from edgeprof_collector.store.records import JobChange, JobRecord, ScheduleRecord

SHORT_ID = 8


def job_table(jobs: Sequence[JobRecord]) -> Table:
    """Return a table of jobs in their order."""
    table = _table("job", "device", "plan", "model", "state", "run", "asked for")
    for job in jobs:
        model = job.model.rpartition("/")[2] if job.model.startswith("/") else job.model
        asked = local_time(job.created_wall_ns)
        table.add_row(
            job.job_id[:SHORT_ID], job.device_id, job.plan.name, model or "(fits)", state_text(job), job.run_id, asked
        )
    return table


def state_text(job: JobRecord) -> Text:
    """Return how a job stands, with its reason or what it waits for."""
    said = job.reason
    if job.state is JobState.QUEUED and job.starts_wall_ns > job.created_wall_ns:
        said = f"starts {local_time(job.starts_wall_ns)}"
    if job.cancel_requested and not job.state.final:
        said = "is being cancelled"
    return Text.assemble((job.state.value, state_style(job.state)), f": {said}" if said else "")


def change_table(changes: Sequence[JobChange]) -> Table:
    """Return a table of what became of a job."""
    table = _table("when", "state", "why")
    for change in changes:
        state = Text(change.state.value, state_style(change.state))
        table.add_row(local_time(change.changed_wall_ns), state, Text(change.reason))
    return table


def schedule_table(schedules: Sequence[ScheduleRecord]) -> Table:
    """Return a table of schedules in their order."""
    table = _table("schedule", "targets", "plan", "every", "next", "last time")
    for schedule in schedules:
        table.add_row(
            schedule.schedule_id[:SHORT_ID],
            Text(" ".join(schedule.targets)),
            schedule.plan.name,
            Text(f"{schedule.every} {schedule.timezone}"),
            local_time(schedule.next_wall_ns),
            Text(schedule.fault),
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading in {"job", "schedule"}, overflow="fold")
    return table
