"""Both clients show the same, whether the store is in process or behind HTTP."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.job import JobState
from edgeprof.run import PhaseKind, Progress
from edgeprof_collector.client import Client, HttpClient, JobRequest, LocalClient, open_client
from edgeprof_collector.exposition.live import DeviceNow, LiveValue
from edgeprof_collector.store.errors import NotFoundError, StoreError
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.exposition.devices import BUSY, frame
from tests.collector.exposition.devices import layout as describe
from tests.collector.store.samples import DEVICE, PLAN, job
from tests.collector.web.live_collector import LiveCollector, live_collector, store_run


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path) as running:
        store_run(running.store, "run-1")
        store_run(running.store, "run-2", first_sequence=4, wall_ns=2 * 10**18)
        yield running


_OPENERS: dict[str, Callable[[LiveCollector], Client]] = {
    "local": lambda collector: LocalClient(SqliteStore(collector.store_path)),
    "http": lambda collector: HttpClient(collector.url),
}


@pytest.fixture(params=list(_OPENERS.values()), ids=list(_OPENERS))
def client(request: pytest.FixtureRequest, collector: LiveCollector) -> Iterator[Client]:
    with request.param(collector) as opened:
        yield opened


@pytest.fixture
def http(collector: LiveCollector) -> Iterator[HttpClient]:
    with HttpClient(collector.url) as opened:
        yield opened


def _request() -> JobRequest:
    return JobRequest(targets=(DEVICE,), plan=PLAN)


def test_devices_runs_and_jobs_are_as_stored(client: Client, collector: LiveCollector) -> None:
    collector.store.triggers.add_jobs([job()])

    assert client.devices() == collector.store.devices()
    assert client.runs() == collector.store.runs()
    assert client.jobs(9) == collector.store.triggers.jobs(9) == (job(),)
    assert client.job("job-1") == job()


@pytest.mark.parametrize(("name", "run_id"), [("run-1", "run-1"), ("latest", "run-2"), ("last", "run-2")])
def test_a_run_is_as_stored(client: Client, collector: LiveCollector, name: str, run_id: str) -> None:
    assert client.run(name) == collector.store.run(run_id)
    assert client.telemetry(name) == collector.store.telemetry(run_id)


@pytest.mark.parametrize("ask", [Client.run, Client.telemetry], ids=["run", "telemetry"])
@pytest.mark.parametrize("name", ["run-3", "a b?c=d#e", "rün"])
def test_a_run_that_is_not_there(client: Client, ask: Callable[[Client, str], object], name: str) -> None:
    with pytest.raises(NotFoundError, match="no run is called"):
        getattr(client, ask.__name__)(name)


def test_a_job_that_is_not_there(client: Client) -> None:
    with pytest.raises(NotFoundError, match="'none'"):
        client.job("none")


def test_jobs_need_a_collector(tmp_path: Path) -> None:
    with LocalClient(SqliteStore(tmp_path / "own.sqlite")) as local:
        for ask in (lambda: local.submit(_request()), lambda: local.watch(["j"]), lambda: local.cancel("j")):
            with pytest.raises(EdgeprofError, match="jobs need a running collector"):
                ask()


def test_a_job_is_followed_from_its_request_to_its_end(collector: LiveCollector, http: HttpClient) -> None:
    collector.connect_device()
    progress = Progress(
        run_id="run-2", job_id="", phase=PhaseKind.STEP, done_ratio=0.5, elapsed_seconds=30, remaining_seconds=30
    )

    (submitted,) = http.submit(_request())
    job_id = submitted.job_id
    seen = []
    for update in http.watch([job_id]):
        seen.append(update)
        if update.status.state is JobState.SENT:
            collector.report(job_id, JobState.RUNNING)
        elif update.progress is None:
            collector.report_progress(job_id, progress)
        else:
            collector.report(job_id, JobState.SUCCEEDED, run_id="run-2")

    assert [update.status.state for update in seen] == [
        JobState.SENT,
        JobState.RUNNING,
        JobState.RUNNING,
        JobState.SUCCEEDED,
    ]
    assert seen[2].progress is not None
    assert seen[2].progress.done_ratio == 0.5
    assert seen[3].status.run_id == "run-2"


def test_a_job_is_cancelled(http: HttpClient) -> None:
    (submitted,) = http.submit(_request())
    job_id = submitted.job_id

    assert http.cancel(job_id).state is JobState.CANCELLED
    assert [update.status.state for update in http.watch([job_id])] == [JobState.CANCELLED]


def test_a_request_that_is_refused_says_why(http: HttpClient) -> None:
    with pytest.raises(NotFoundError, match=f"no device is called 'orin'; known: {DEVICE}"):
        http.submit(JobRequest(targets=("orin",), plan=PLAN))
    with pytest.raises(NotFoundError, match="'none'"):
        list(http.watch(["none"]))


@pytest.mark.parametrize("url", ["", "jetson-07", "jetson-07:9464", "ftp://jetson-07", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(EdgeprofError, match=f"'{url}' is no address of a collector: give one like http://HOST:PORT"):
        HttpClient(url)


def test_a_collector_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with HttpClient(f"http://127.0.0.1:{port}") as client, pytest.raises(EdgeprofError) as refused:
        client.runs()

    assert str(refused.value).startswith(f"the collector at http://127.0.0.1:{port} cannot be reached: ")
    assert str(refused.value).endswith("; is it running?")


@contextmanager
def _server_that_answers(answer: bytes) -> Iterator[str]:
    """Something else than a collector: it takes one connection and gives one answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def _answer(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (_answer("500 Internal Server Error", b"<html>"), "answers 500 Internal Server Error: is it a collector?"),
        (_answer("200 OK", b"<html>"), "answers something else than expected: is it a collector of this version?"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "cannot be reached: "),
    ],
    ids=["page of an error", "page", "no HTTP"],
)
def test_what_is_no_collector_is_told_from_one(answer: bytes, text: str) -> None:
    with _server_that_answers(answer) as url, HttpClient(url) as client, pytest.raises(EdgeprofError) as refused:
        client.runs()

    assert url in str(refused.value)
    assert text in str(refused.value)


def test_a_stream_that_breaks_off_is_no_end() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with _server_that_answers(cut) as url, HttpClient(url) as client, pytest.raises(EdgeprofError) as refused:
        list(client.watch(["job-1"]))

    assert str(refused.value) == f"the collector at {url} stopped telling of the job before its end"


def test_without_an_address_the_own_store_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    with open_client() as client:
        assert isinstance(client, LocalClient)
        assert client.runs() == ()


def test_an_own_store_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "own.sqlite"
    path.write_bytes(b"no database" * 1000)

    with pytest.raises(StoreError, match="it is no SQLite database"):
        LocalClient(SqliteStore(path))


def test_an_address_opens_a_collector(collector: LiveCollector) -> None:
    with open_client(collector.url) as client:
        assert [run.run_id for run in client.runs()] == ["run-2", "run-1"]


def test_a_device_is_watched_live(collector: LiveCollector, http: HttpClient) -> None:
    collector.connect_device()

    async def send(value: int) -> None:
        collector.latest.on_connected(DEVICE)
        collector.latest.on_frame(DEVICE, {1: describe(1, [BUSY])}, frame({1: [value]}))

    news = http.live(DEVICE)
    assert next(news) == DeviceNow(device_id=DEVICE, connected=False)
    assert [one.settings.idle_frame_seconds for one in collector.sent if one.HasField("settings")] == [1.0]
    collector.call(send(500))
    busy = LiveValue(metric="edgeprof_cpu_busy_ratio", labels={}, value=0.5)
    assert next(news) == DeviceNow(device_id=DEVICE, connected=True, values=(busy,))
    with pytest.raises(NotFoundError, match="'orin'"):
        next(http.live("orin"))
