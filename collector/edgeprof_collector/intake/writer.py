"""The one writer: whatever all streams have received goes into the store together, in one transaction after another.

While a transaction is being written, the next one gathers, and one does not follow another too closely. So a single
device is not kept waiting, and thousands share one flush of the disk.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.intake.inbox import Inbox
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Admission, Delivery, Greeting, Store

_log = logging.getLogger(__name__)

# Between the starts of two transactions, unless the last one is longer ago: then the next begins at once. Each costs as
# much as dozens of messages, most of it in flushing the disk; nobody needs an acknowledgement sooner.
_INTERVAL_SECONDS = 0.05


class GroupWriter:
    """Writes greetings and inboxes into a store, in one thread, for one event loop."""

    def __init__(self, store: Store, health: CollectorHealth) -> None:
        self.pending_bytes = 0
        self._store = store
        self._health = health
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._work = asyncio.Event()
        self._closing = False
        self._inboxes: dict[Inbox, None] = {}  # a set in the order of arrival
        self._writing_since: float | None = None
        self._greetings: list[tuple[Greeting, asyncio.Future[Admission]]] = []

    def stalled_seconds(self) -> float:
        """Return for how long the transaction that is being written has been; 0 when none is."""
        return 0.0 if self._writing_since is None else time.monotonic() - self._writing_since

    def notify(self, inbox: Inbox, added_bytes: int) -> None:
        """Write this inbox in the next transaction; it holds so many bytes more than before."""
        self.pending_bytes += added_bytes
        self._inboxes[inbox] = None
        self._work.set()

    async def admit(self, greeting: Greeting) -> Admission:
        """Note a device that connects, and say where it goes on.

        Raises:
            StoreError: the store cannot be written.
        """
        admission: asyncio.Future[Admission] = asyncio.get_running_loop().create_future()
        self._greetings.append((greeting, admission))
        self._work.set()
        return await admission

    async def describe(self, facts: DeviceFacts) -> None:
        """Keep the facts of a device that has changed since it connected.

        Raises:
            StoreError: the store cannot be written.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._store.describe, facts)

    async def run(self) -> None:
        """Write until :meth:`close`, and then what is left."""
        next_start = 0.0
        while self._inboxes or self._greetings or not self._closing:
            await self._work.wait()
            await asyncio.sleep(next_start - time.monotonic())
            next_start = time.monotonic() + _INTERVAL_SECONDS
            self._work.clear()
            await self._write_all()
        self._thread.shutdown()

    def close(self) -> None:
        """Let :meth:`run` return once everything is written."""
        self._closing = True
        self._work.set()

    async def _write_all(self) -> None:
        greetings, self._greetings = self._greetings, []
        inboxes, self._inboxes = list(self._inboxes), {}
        self.pending_bytes = 0
        now = time.time_ns()
        deliveries = [inbox.take(now) for inbox in inboxes]
        self._writing_since = time.monotonic()
        try:
            admissions, cursors = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._write, [greeting for greeting, _ in greetings], deliveries
            )
        except StoreError as error:
            _log.error("%s; devices keep what was not stored and send it again", error)
            for _, admission in greetings:
                if not admission.done():
                    admission.set_exception(error)
            for inbox in inboxes:
                inbox.failed(error)
            return
        finally:
            self._writing_since = None
        for (_, admission), admitted in zip(greetings, admissions, strict=True):
            if not admission.done():  # the stream may have ended meanwhile
                admission.set_result(admitted)
        for inbox, cursor in zip(inboxes, cursors, strict=True):
            inbox.committed(cursor)

    def _write(
        self, greetings: Sequence[Greeting], deliveries: Sequence[Delivery]
    ) -> tuple[Sequence[Admission], Sequence[int]]:
        admissions = self._store.admit(greetings) if greetings else ()
        if not deliveries:
            return admissions, ()
        started = time.perf_counter()
        cursors = self._store.commit(deliveries)
        self._health.commit_seconds.observe(time.perf_counter() - started)
        return admissions, cursors
