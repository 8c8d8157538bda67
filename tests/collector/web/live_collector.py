"""The real HTTP API over loopback: a store, a queue of jobs and a page, served from a thread."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from edgeprof.job import JobState, JobStatus
from edgeprof.run import Progress
from edgeprof.v1.uplink_pb2 import CollectorMessage
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import Page
from edgeprof_collector.exposition.results import Results
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.scheduler import Scheduler
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.web.api import create_app
from tests.collector.store.samples import (
    DEVICE,
    delivery,
    event_message,
    finished,
    frame_message,
    greeting,
    layout,
    started,
)

T = TypeVar("T")


@dataclass
class LiveCollector:
    """What runs, and ways to act on it from a test's thread."""

    url: str
    store_path: Path
    store: SqliteStore
    jobs: JobQueue
    latest: LatestValues
    loop: asyncio.AbstractEventLoop
    sent: list[CollectorMessage] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's event loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=30)

    def connect_device(self) -> None:
        """Let the device be connected; what it is sent is kept in ``sent``."""
        self.call(self.jobs.device_connected(DEVICE, (), self.sent.append))

    def report(self, job_id: str, state: JobState, run_id: str = "") -> None:
        """Let the device tell how a job stands."""
        status = JobStatus(job_id=job_id, version=1, state=state, run_id=run_id)
        self.call(self.jobs.status_reported(DEVICE, status))

    def report_progress(self, job_id: str, progress: Progress) -> None:
        """Let the device tell how far a job's run is."""

        async def report() -> None:
            self.jobs.progress_reported(replace(progress, job_id=job_id))

        self.call(report())


def store_run(store: SqliteStore, run_id: str, first_sequence: int = 1, wall_ns: int = 10**18) -> None:
    """Keep a short run of the device, with one frame."""
    if first_sequence == 1:
        store.admit([greeting()])
    messages = [
        event_message(first_sequence, started(run_id)),
        frame_message(first_sequence + 1, run_id=run_id),
        event_message(first_sequence + 2, finished(run_id)),
    ]
    store.commit([delivery(*messages, layouts=[layout()], wall_ns=wall_ns)])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready.set()


@contextmanager
def live_collector(folder: Path) -> Iterator[LiveCollector]:
    """Serve a new store in ``folder`` until the end of the block."""
    store_path = folder / "edgeprof.sqlite"
    store = SqliteStore(store_path)
    health = CollectorHealth()
    latest = LatestValues(health)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    collector = LiveCollector(url, store_path, store, JobQueue(store), latest, loop)
    app = create_app(
        store=store,
        jobs=collector.jobs,
        schedules=Scheduler(store, collector.jobs),
        latest=latest,
        page=Page([latest, Results()], health),
        on_run_finished=collector.finished.append,
    )
    server = _Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1), ready)
    thread = threading.Thread(target=_serve, args=(loop, server, listening))
    thread.start()
    try:
        assert ready.wait(30)
        yield collector
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        store.close()


def _serve(loop: asyncio.AbstractEventLoop, server: _Server, listening: socket.socket) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(server.serve(sockets=[listening]))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
