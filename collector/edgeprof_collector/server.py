"""The collector as a service: its parts put together, started, and stopped in good order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec

from edgeprof.errors import EdgeprofError
from edgeprof.service_manager import ServiceManager
from edgeprof.watchdog import feed_watchdog
from edgeprof_collector.config import CollectorConfig, refuse_exposure
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import Page
from edgeprof_collector.exposition.results import Results
from edgeprof_collector.housekeeping import Housekeeping
from edgeprof_collector.http_server import HttpServer
from edgeprof_collector.intake.service import Intake
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.scheduler import Scheduler
from edgeprof_collector.listening import listen, url_host
from edgeprof_collector.remote_write.destination import check_destinations
from edgeprof_collector.remote_write.service import RemoteWriting
from edgeprof_collector.results_feed import ResultsFeed
from edgeprof_collector.security import Security
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.web.api import create_app
from edgeprof_collector.web.gate import LoopbackGate
from edgeprof_collector.webhooks.config import check_webhooks
from edgeprof_collector.webhooks.sender import WebhookSender

# A transaction takes milliseconds, and seconds on a disk that is very busy.
_STORE_SECONDS = 120.0


async def serve(config: CollectorConfig, ready_file: Path | None = None, *, exit_with_parent: bool = False) -> None:
    """Run the collector until SIGTERM, SIGINT, or with ``exit_with_parent`` the end of standard input.

    Args:
        config: where it listens and keeps what comes.
        ready_file: written once devices and people can connect: JSON texts ``grpc``, ``http`` and ``pid``.
        exit_with_parent: stop when standard input, a pipe, reaches its end.

    Raises:
        EdgeprofError: an address cannot be had or would be open to others, or the store cannot be opened.
    """
    refuse_exposure(config)
    check_destinations(config.remote_write)
    check_webhooks(config.webhooks)
    stop = asyncio.Event()
    manager = ServiceManager.take_over(os.environ)
    async with _told_to_stop(stop, exit_with_parent=exit_with_parent):
        store = await asyncio.to_thread(SqliteStore, config.store_path)
        try:
            with closing(manager):
                collector = await _Collector.put_together(config, store)
                await collector.serve(stop, ready_file, manager)
        finally:
            await asyncio.to_thread(store.close)


class _Collector:
    """The parts of a running collector."""

    def __init__(
        self,
        config: CollectorConfig,
        store: Store,
        latest: LatestValues,
        health: CollectorHealth,
        remote_writing: RemoteWriting,
        security: Security | None,
    ) -> None:
        results = Results()
        self._health = health
        self._security = security
        self._config = config
        self._feed = ResultsFeed(store, results)
        self._webhooks = [WebhookSender(webhook, store) for webhook in config.webhooks]
        self._jobs = JobQueue(store, ended=self._job_ended)
        self._schedules = Scheduler(store, self._jobs)
        self._remote_writing = remote_writing
        self._housekeeping = Housekeeping(
            store, config.retention, health, [destination.known_as for destination in config.remote_write]
        )
        self._intake = Intake(
            store,
            self._jobs,
            health=health,
            limits=config.limits,
            listeners=[latest, remote_writing],
            on_run_finished=self._run_finished,
            credentials=security.transport.grpc_credentials() if security else None,
            admission=security.admission if security else None,
        )
        page = Page([latest, results], health)
        app = create_app(
            store=store,
            jobs=self._jobs,
            schedules=self._schedules,
            latest=latest,
            page=page,
            on_run_finished=self._run_finished,
            further=security.routes if security else (),
        )
        gate = security.gate(app) if security else LoopbackGate(app)
        self._http = HttpServer(gate, security.transport.http if security else None)

    @classmethod
    async def put_together(cls, config: CollectorConfig, store: Store) -> "_Collector":
        """Make the parts, knowing the devices of earlier days."""
        health = CollectorHealth()
        devices = await asyncio.to_thread(store.devices)
        agents = [device for device in devices if not device.facts.imported_from]
        last_seen = [(device.facts.device_id, device.last_seen_wall_ns / 1e9) for device in agents]
        known = [device_id for device_id, _ in last_seen]
        remote_writing = RemoteWriting(config.remote_write, store, health, known)
        security = await asyncio.to_thread(Security, config, store) if config.tls.enabled else None
        return cls(config, store, LatestValues(health, last_seen), health, remote_writing, security)

    def _run_finished(self, run_id: str) -> None:
        self._feed.run_finished(run_id)
        self._remote_writing.run_finished(run_id)

    def _guarding(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What goes on beside the rest where there is TLS."""
        if not self._security:
            return ()
        return (
            self._security.transport.tend(),
            self._security.expiry.tell(self._health),
            self._security.admission.watch(self._intake.connections),
        )

    def _job_ended(self) -> None:
        for webhook in self._webhooks:
            webhook.job_ended()

    async def serve(self, stop: asyncio.Event, ready_file: Path | None, manager: ServiceManager) -> None:
        """Serve until told to stop. A part that fails stops all: a collector that seems well but is deaf is worse."""
        config = self._config
        with listen(config.http_host, config.http_port, "http_port") as http_socket:
            listen(config.grpc_host, config.grpc_port, "grpc_port").close()  # gRPC does not tell what is wrong
            grpc_port = await self._intake.start(config.grpc_host, config.grpc_port)
            if self._security:
                self._security.grpc_port = grpc_port
            addresses = {
                "grpc": f"{url_host(config.grpc_host)}:{grpc_port}",
                "http": f"{'https' if self._security else 'http'}://{url_host(config.http_host)}:{http_socket.getsockname()[1]}",
            }
            serving = [asyncio.create_task(self._intake.run()), asyncio.create_task(self._http.run_on(http_socket))]
            tending = [
                asyncio.create_task(tended)
                for tended in (
                    self._jobs.tend(),
                    self._schedules.run(),
                    self._feed.run(),
                    self._housekeeping.run(),
                    *self._remote_writing.running(),
                    *(webhook.run() for webhook in self._webhooks),
                    feed_watchdog(manager, self._trouble, self._status),
                    *self._guarding(),
                )
            ]
            try:
                if ready_file:
                    _write_ready_file(ready_file, addresses)
                manager.ready(self._status())
                await _first_of(stop, [*serving, *tending])
            finally:
                manager.stopping()
                self._jobs.close()
                self._http.stop()
                await self._intake.stop()
                for task in tending:
                    task.cancel()
                ends = await asyncio.gather(*serving, *tending, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def _trouble(self) -> str | None:
        stalled_seconds = self._intake.stalled_seconds()
        return f"the store has been stuck for {stalled_seconds:.0f} s" if stalled_seconds > _STORE_SECONDS else None

    def _status(self) -> str:
        return f"{self._intake.connected_devices} devices are connected"


async def _first_of(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait until told to stop, or until one of the tasks ends, which none should."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


def _write_ready_file(path: Path, addresses: dict[str, str]) -> None:
    """Write the file whole or not at all."""
    try:
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(msgspec.json.encode(addresses | {"pid": str(os.getpid())}))
        part.replace(path)
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be written: {error.strerror}; name another --ready-file") from error


class _InputEnd(asyncio.Protocol):
    """Notices the end of standard input."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, _error: Exception | None) -> None:
        self._stop.set()


@asynccontextmanager
async def _told_to_stop(stop: asyncio.Event, *, exit_with_parent: bool) -> AsyncIterator[None]:
    """Set ``stop`` on the signals that end a service, and on the end of standard input if asked."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        if not exit_with_parent:
            yield
            return
        try:
            transport, _ = await loop.connect_read_pipe(lambda: _InputEnd(stop), sys.stdin)
        except (ValueError, OSError) as error:
            raise EdgeprofError("--exit-with-parent needs a pipe as standard input") from error
        try:
            yield
        finally:
            transport.close()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
