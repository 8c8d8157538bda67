"""What a person sees while remote runs go on: a live table, plain lines, or JSON for scripts."""

import sys
from typing import Protocol, TextIO

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edgeprof.job import JobState
from edgeprof.run import Progress
from edgeprof_collector.jobs.messages import JobUpdate
from edgeprof_collector.profile.display import clock_text, readings, what_runs
from edgeprof_collector.store.records import JobRecord

_BAR_COLUMNS = 12
_BAD = "red"
_STYLES = {
    JobState.SUCCEEDED: "green",
    JobState.RUNNING: "cyan",
    JobState.SENT: "cyan",
    JobState.QUEUED: "",
    JobState.CANCELLED: "dim",
}


class JobDisplay(Protocol):
    """Shows how jobs go on. Used as a context manager."""

    def __enter__(self) -> "JobDisplay": ...

    def __exit__(self, *error: object) -> None: ...

    def show(self, update: JobUpdate) -> None:
        """Show how a job stands; called whenever that has changed."""
        ...


def choose_job_display(jobs: list[JobRecord], console: Console, *, as_json: bool) -> JobDisplay:
    """Return the display that suits the output: a terminal, a file or pipe, or a script."""
    if as_json:
        return JsonJobs(sys.stdout)
    devices = {job.job_id: job.device_id for job in jobs}
    return LiveJobs(devices, console) if console.is_terminal else PlainJobs(devices, console)


def state_style(state: JobState) -> str:
    """Return the colour of a state."""
    return _STYLES.get(state, _BAD)


class LiveJobs:
    """A row for each job, drawn again in place when there is news. ``devices`` gives the device of each job's id."""

    def __init__(self, devices: dict[str, str], console: Console) -> None:
        self._devices = devices
        self._latest: dict[str, JobUpdate] = {}
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> "LiveJobs":
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def show(self, update: JobUpdate) -> None:
        """Draw the table."""
        self._latest[update.status.job_id] = update
        table = Table.grid(padding=(0, 2))
        for job_id, device in self._devices.items():
            if latest := self._latest.get(job_id):
                table.add_row(Text(device, "bold", no_wrap=True), *_cells(latest))
        self._live.update(table, refresh=True)


def _cells(update: JobUpdate) -> tuple[Text, Text, Text]:
    status, progress = update.status, update.progress
    state = Text(status.state.value, state_style(status.state))
    if status.state is not JobState.RUNNING or progress is None:
        return state, Text(), Text(status.reason)
    filled = round(progress.done_ratio * _BAR_COLUMNS)
    bar = Text.assemble(
        ("━" * filled, "bar.complete"),
        ("━" * (_BAR_COLUMNS - filled), "bar.back"),
        f" {progress.done_ratio:4.0%}  {clock_text(progress.remaining_seconds)} left",
    )
    return state, bar, Text(_doing(progress))


def _doing(progress: Progress) -> str:
    return ", ".join([what_runs(progress), *readings(progress)])


class PlainJobs:
    """A line whenever a job's state changes or its run goes on to something else; for logs and pipes."""

    def __init__(self, devices: dict[str, str], console: Console) -> None:
        self._devices = devices
        self._console = console
        self._said: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> "PlainJobs":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def show(self, update: JobUpdate) -> None:
        """Print a line if there is something new."""
        status, progress = update.status, update.progress
        running = status.state is JobState.RUNNING and progress is not None
        news = (status.state.value, what_runs(progress) if running and progress else status.reason)
        if self._said.get(status.job_id) == news:
            return
        self._said[status.job_id] = news
        more = _doing(progress) if running and progress else status.reason
        line = f"{self._devices[status.job_id]}  {status.state.value}{f': {more}' if more else ''}"
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class JsonJobs:
    """One JSON object a line: ``{"event": "update", "update": {"status": ..., "progress": ...}}``."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def __enter__(self) -> "JsonJobs":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def show(self, update: JobUpdate) -> None:
        """Write an update."""
        self._output.write(msgspec.json.encode({"event": "update", "update": update}).decode() + "\n")
        self._output.flush()
