"""What every client does, wherever the data is."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from edgeprof.run import RunRecord
from edgeprof.v1.telemetry_pb2 import RunTelemetry
from edgeprof_collector.exposition.live import DeviceNow
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate, ScheduleRequest
from edgeprof_collector.store.records import DeviceRecord, JobChange, JobRecord, RunSummary, ScheduleRecord

if TYPE_CHECKING:
    from typing_extensions import Self


class Client(Protocol):
    """Devices, runs and jobs. Used as a context manager, it lets go of its connection in the end.

    A run is named by its id, by the first characters of it if they are enough, or as ``latest`` or ``last``.

    Raises:
        EdgeprofError: from every method, when the data cannot be reached; ``NotFoundError`` when there is none.
    """

    def devices(self) -> tuple[DeviceRecord, ...]:
        """Every device that ever connected."""
        ...

    def runs(self) -> tuple[RunSummary, ...]:
        """Every run, the latest first."""
        ...

    def run(self, name: str) -> RunRecord:
        """One run with all its events."""
        ...

    def telemetry(self, name: str) -> RunTelemetry:
        """All telemetry of one run."""
        ...

    def import_runs(self, records: Sequence[RunRecord]) -> None:
        """Store runs that another benchmark has measured, all or none; one that is stored already is refused."""
        ...

    def set_baseline(self, name: str, *, is_baseline: bool) -> RunSummary:
        """Hold later runs of the same work against this one, or no longer; return it as it is now."""
        ...

    def submit(self, request: JobRequest) -> tuple[JobRecord, ...]:
        """Ask devices for a run; return the jobs, one for each device."""
        ...

    def jobs(self, limit: int) -> tuple[JobRecord, ...]:
        """The jobs that were asked for last, the latest first."""
        ...

    def job(self, job_id: str) -> JobRecord:
        """One job."""
        ...

    def job_changes(self, job_id: str) -> tuple[JobChange, ...]:
        """Everything that became of a job, in order."""
        ...

    def watch(self, job_ids: Sequence[str]) -> Iterator[JobUpdate]:
        """Yield how each of these jobs stands, now and whenever that changes, until all have ended.

        Where there is no news for some seconds the last is repeated, so that the caller may look at other things.
        """
        ...

    def cancel(self, job_id: str) -> JobRecord:
        """Give a job up. It ends when its device says so: :meth:`watch` it."""
        ...

    def live(self, device: str) -> Iterator[DeviceNow]:
        """Yield a device as it is, every second, for as long as somebody listens."""
        ...

    def add_schedule(self, request: ScheduleRequest) -> ScheduleRecord:
        """Ask for runs again and again."""
        ...

    def schedules(self) -> tuple[ScheduleRecord, ...]:
        """Every schedule that was not given up, the oldest first."""
        ...

    def cancel_schedule(self, schedule_id: str) -> ScheduleRecord:
        """Give a schedule up. Jobs that it has made stay."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...

    def __enter__(self) -> "Self": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
