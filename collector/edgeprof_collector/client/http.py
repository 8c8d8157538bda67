"""A collector's HTTP API."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from google.protobuf.message import DecodeError

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunRecord
from edgeprof.v1.telemetry_pb2 import RunTelemetry
from edgeprof_collector.client.trusting import trusting
from edgeprof_collector.exposition.live import DeviceNow
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate, ScheduleRequest
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import DeviceRecord, JobChange, JobRecord, RunSummary, ScheduleRecord

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")

# For an answer to begin. Reports and telemetry of long runs are made when they are asked for.
_TIMEOUT_SECONDS = 60.0


class _Problem(msgspec.Struct):
    """What the API answers instead of what was asked for."""

    error: str


class UnreachableError(EdgeprofError):
    """The collector does not answer. It may or may not have done what was asked."""


class HttpClient:
    """A :class:`~edgeprof_collector.client.protocol.Client` of the collector at ``url``, such as ``https://host:7744``.

    Raises:
        EdgeprofError: ``url`` is no such address, ``token`` is none, or the collector is not the one that made it.
    """

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EdgeprofError(f"'{url}' is no address of a collector: give one like http://HOST:PORT")
        self._url = url.rstrip("/")
        # A proxy of the environment is for the Internet; it would not find a collector on this machine or its network.
        trusted = trusting(parts, token)
        self._extensions = {"sni_hostname": trusted.server_name} if trusted.server_name else {}
        self._http = httpx.Client(
            base_url=f"{self._url}/api/v1/",
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
            verify=trusted.context,
            headers=trusted.headers,
        )

    def devices(self) -> tuple[DeviceRecord, ...]:
        """See :meth:`Client.devices`."""
        return self._get("devices", tuple[DeviceRecord, ...])

    def runs(self) -> tuple[RunSummary, ...]:
        """See :meth:`Client.runs`."""
        return self._get("runs", tuple[RunSummary, ...])

    def run(self, name: str) -> RunRecord:
        """See :meth:`Client.run`."""
        return self._get(f"runs/{quoted(name)}", RunRecord)

    def telemetry(self, name: str) -> RunTelemetry:
        """See :meth:`Client.telemetry`."""
        content = self._request("GET", f"runs/{quoted(name)}/telemetry")
        try:
            return RunTelemetry.FromString(content)
        except DecodeError as error:
            raise self._misunderstood() from error

    def import_runs(self, records: Sequence[RunRecord]) -> None:
        """See :meth:`Client.import_runs`."""
        self._request("POST", "runs", content=msgspec.json.encode(records))

    def set_baseline(self, name: str, *, is_baseline: bool) -> RunSummary:
        """See :meth:`Client.set_baseline`."""
        method = "PUT" if is_baseline else "DELETE"
        return self._decode(self._request(method, f"runs/{quoted(name)}/baseline"), RunSummary)

    def submit(self, request: JobRequest) -> tuple[JobRecord, ...]:
        """See :meth:`Client.submit`."""
        return self._decode(self._request("POST", "jobs", content=msgspec.json.encode(request)), tuple[JobRecord, ...])

    def jobs(self, limit: int) -> tuple[JobRecord, ...]:
        """See :meth:`Client.jobs`."""
        return self._get(f"jobs?limit={limit}", tuple[JobRecord, ...])

    def job(self, job_id: str) -> JobRecord:
        """See :meth:`Client.job`."""
        return self._get(f"jobs/{quoted(job_id)}", JobRecord)

    def job_changes(self, job_id: str) -> tuple[JobChange, ...]:
        """See :meth:`Client.job_changes`."""
        return self._get(f"jobs/{quoted(job_id)}/changes", tuple[JobChange, ...])

    def watch(self, job_ids: Sequence[str]) -> Iterator[JobUpdate]:
        """See :meth:`Client.watch`."""
        going_on = set(job_ids)
        with self._explained(), self._stream("jobs/events", {"job": list(job_ids)}) as response:
            if response.is_error:
                response.read()
                self._refuse(response)
            update: JobUpdate | None = None
            for line in response.iter_lines():
                if line:  # else a sign of life
                    update = self._decode(line.encode(), JobUpdate)
                if update is None:
                    continue
                yield update
                if update.status.state.final:
                    going_on.discard(update.status.job_id)
                if not going_on:
                    return
        raise UnreachableError(f"the collector at {self._url} stopped telling of the job before its end")

    def cancel(self, job_id: str) -> JobRecord:
        """See :meth:`Client.cancel`."""
        return self._decode(self._request("POST", f"jobs/{quoted(job_id)}/cancel"), JobRecord)

    def live(self, device: str) -> Iterator[DeviceNow]:
        """See :meth:`Client.live`."""
        with self._explained(), self._stream(f"devices/{quoted(device)}/live", {}) as response:
            if response.is_error:
                response.read()
                self._refuse(response)
            for line in response.iter_lines():
                yield self._decode(line.encode(), DeviceNow)
        raise UnreachableError(f"the collector at {self._url} stopped telling of the device")

    def add_schedule(self, request: ScheduleRequest) -> ScheduleRecord:
        """See :meth:`Client.add_schedule`."""
        return self._decode(self._request("POST", "schedules", content=msgspec.json.encode(request)), ScheduleRecord)

    def schedules(self) -> tuple[ScheduleRecord, ...]:
        """See :meth:`Client.schedules`."""
        return self._get("schedules", tuple[ScheduleRecord, ...])

    def cancel_schedule(self, schedule_id: str) -> ScheduleRecord:
        """See :meth:`Client.cancel_schedule`."""
        return self._decode(self._request("POST", f"schedules/{quoted(schedule_id)}/cancel"), ScheduleRecord)

    def close(self) -> None:
        """See :meth:`Client.close`."""
        self._http.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _get(self, path: str, kind: type[T]) -> T:
        return self._decode(self._request("GET", path), kind)

    def _request(self, method: str, path: str, content: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/json"} if content is not None else None
        with self._explained():
            response = self._http.request(method, path, content=content, headers=headers, extensions=self._extensions)
        if response.is_error:
            self._refuse(response)
        return response.content

    def _stream(self, path: str, params: Mapping[str, Sequence[str]]) -> AbstractContextManager[httpx.Response]:
        return self._http.stream("GET", path, params=dict(params), extensions=self._extensions)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise UnreachableError(f"the collector at {self._url} does not answer") from error
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"the collector at {self._url} cannot be reached: {error}; is it running?"
            ) from error

    def _refuse(self, response: httpx.Response) -> None:
        """Raise what the collector has answered."""
        try:
            text = msgspec.json.decode(response.content, type=_Problem).error
        except msgspec.DecodeError as error:
            raise EdgeprofError(
                f"{self._url} answers {response.status_code} {response.reason_phrase}: is it a collector?"
            ) from error
        raise NotFoundError(text) if response.status_code == httpx.codes.NOT_FOUND else EdgeprofError(text)

    def _decode(self, content: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.DecodeError as error:
            raise self._misunderstood() from error

    def _misunderstood(self) -> EdgeprofError:
        return EdgeprofError(f"{self._url} answers something else than expected: is it a collector of this version?")


def quoted(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe="")
