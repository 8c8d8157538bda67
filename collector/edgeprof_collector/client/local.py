"""This device's own store, in process."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunRecord
from edgeprof.v1.telemetry_pb2 import RunTelemetry
from edgeprof_collector.client.run_names import find_run_id
from edgeprof_collector.exposition.live import DeviceNow
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate, ScheduleRequest
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import DeviceRecord, JobChange, JobRecord, RunSummary, ScheduleRecord

if TYPE_CHECKING:
    from typing_extensions import Self

_NO_JOBS = "jobs need a running collector: name one with --collector URL"


class LocalClient:
    """A :class:`~edgeprof_collector.client.protocol.Client` that reads a store, and closes it in the end.

    No devices are connected to it, so it can show jobs but not send them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def devices(self) -> tuple[DeviceRecord, ...]:
        """See :meth:`Client.devices`."""
        return self._store.devices()

    def runs(self) -> tuple[RunSummary, ...]:
        """See :meth:`Client.runs`."""
        return self._store.runs()

    def run(self, name: str) -> RunRecord:
        """See :meth:`Client.run`."""
        return self._store.run(find_run_id(name, self.runs()))

    def telemetry(self, name: str) -> RunTelemetry:
        """See :meth:`Client.telemetry`."""
        return self._store.telemetry(find_run_id(name, self.runs()))

    def import_runs(self, records: Sequence[RunRecord]) -> None:
        """See :meth:`Client.import_runs`."""
        self._store.adopt(records)

    def set_baseline(self, name: str, *, is_baseline: bool) -> RunSummary:
        """See :meth:`Client.set_baseline`."""
        run_id = find_run_id(name, self.runs())
        self._store.set_baseline(run_id, is_baseline=is_baseline)
        return next(run for run in self.runs() if run.run_id == run_id)

    def submit(self, request: JobRequest) -> tuple[JobRecord, ...]:  # noqa: ARG002  part of the protocol
        """See :meth:`Client.submit`."""
        raise EdgeprofError(_NO_JOBS)

    def jobs(self, limit: int) -> tuple[JobRecord, ...]:
        """See :meth:`Client.jobs`."""
        return self._store.triggers.jobs(limit)

    def job(self, job_id: str) -> JobRecord:
        """See :meth:`Client.job`."""
        return self._store.triggers.job(job_id)

    def job_changes(self, job_id: str) -> tuple[JobChange, ...]:
        """See :meth:`Client.job_changes`."""
        return self._store.triggers.job_changes(job_id)

    def watch(self, job_ids: Sequence[str]) -> Iterator[JobUpdate]:  # noqa: ARG002  part of the protocol
        """See :meth:`Client.watch`."""
        raise EdgeprofError(_NO_JOBS)

    def cancel(self, job_id: str) -> JobRecord:  # noqa: ARG002  part of the protocol
        """See :meth:`Client.cancel`."""
        raise EdgeprofError(_NO_JOBS)

    def live(self, device: str) -> Iterator[DeviceNow]:  # noqa: ARG002  part of the protocol
        """See :meth:`Client.live`."""
        raise EdgeprofError(_NO_JOBS)

    def add_schedule(self, request: ScheduleRequest) -> ScheduleRecord:  # noqa: ARG002  part of the protocol
        """See :meth:`Client.add_schedule`."""
        raise EdgeprofError(_NO_JOBS)

    def schedules(self) -> tuple[ScheduleRecord, ...]:
        """See :meth:`Client.schedules`."""
        return self._store.triggers.schedules()

    def cancel_schedule(self, schedule_id: str) -> ScheduleRecord:  # noqa: ARG002  part of the protocol
        """See :meth:`Client.cancel_schedule`."""
        raise EdgeprofError(_NO_JOBS)

    def close(self) -> None:
        """See :meth:`Client.close`."""
        self._store.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
