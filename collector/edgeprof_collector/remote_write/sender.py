"""Sends one destination what the store keeps, in the order in which it was stored."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import STALE_AFTER_NS
from edgeprof_collector.remote_write.destination import RemoteWrite
from edgeprof_collector.remote_write.parcel import Parcel, pack
from edgeprof_collector.remote_write.presence import Presence
from edgeprof_collector.remote_write.results import values_of
from edgeprof_collector.remote_write.time_series import Piece, SeriesWriter
from edgeprof_collector.remote_write.transport import Answer, Outcome, Transport
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.outgoing import Cursor, RefusedWrite, RunEnd, WriteKind
from edgeprof_collector.store.protocol import Store

_log = logging.getLogger(__name__)

T = TypeVar("T")

# What is read from the store at a time; the cursor moves when it is sent. After a crash as much is sent again at most.
_BATCH_BYTES = 512 * 1024
_BATCH_RUNS = 8
# A device's last minute: several frames of an idle one, thirty of a run.
_LAST_FRAMES = 64
# Frames of other collectors on the same store, and devices that are gone for long enough, come without news.
_LOOK_AGAIN_SECONDS = 5.0


class Sender:
    """One destination. Everything that takes time happens in a thread of its own, or waits for the network.

    Args:
        destination: where to, and how.
        store: what is sent, and how far that has come.
        presence: which devices are gone.
        health: where it is counted.
    """

    def __init__(self, destination: RemoteWrite, store: Store, presence: Presence, health: CollectorHealth) -> None:
        self.name = destination.known_as
        self._to = destination
        self._store = store
        self._presence = presence
        self._transport = Transport(destination)
        self._writer = SeriesWriter(destination.labels, destination.samples_per_request)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="remote-write")
        self._news = asyncio.Event()
        self._cursor = Cursor(0, 0)
        self._ended: dict[str, float] = {}  # whose series were looked at since the device went away, and when it did
        self._oldest_unsent_wall_ns: int | None = None
        self._trouble = ""
        self._sent = health.remote_write_samples.labels(self.name)
        self._failed = health.remote_write_failed_samples.labels(self.name)
        self._retries = health.remote_write_retries.labels(self.name)
        self._unreadable = health.remote_write_unreadable_blocks.labels(self.name)
        health.remote_write_lag_seconds.labels(self.name).set_function(self._lag_seconds)

    def notify(self) -> None:
        """Something new is stored."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                try:
                    await self._follow()
                except StoreError as error:
                    _log.error("remote write to %s: %s", self.name, error)
                except Exception:  # noqa: BLE001 - what cannot be sent must cost no device its stream
                    _log.exception("remote write to %s", self.name)
                await asyncio.sleep(self._to.max_backoff_seconds)
        finally:
            await self._transport.close()
            await asyncio.to_thread(self._thread.shutdown)

    async def _follow(self) -> None:
        """Send what is stored, and what comes."""
        outgoing = self._store.outgoing
        self._cursor = await self._in_thread(outgoing.cursor, self.name, send_stored=self._to.send_stored)
        while True:
            self._news.clear()
            if await self._send_frames() or await self._send_run_ends():
                continue
            await self._end_series()
            self._oldest_unsent_wall_ns = None
            await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        """Wait until something is stored, and a little longer: a few large requests cost less than many small ones."""
        try:
            await asyncio.wait_for(self._news.wait(), min(_LOOK_AGAIN_SECONDS, self._to.stale_after_seconds))
        except asyncio.TimeoutError:
            return
        await asyncio.sleep(self._to.gather_seconds)

    async def _send_frames(self) -> bool:
        """Send the next frames; ``False`` if there are none."""
        frames = await self._in_thread(self._store.outgoing.frames_after, self._cursor.frame, _BATCH_BYTES)
        if not frames:
            return False
        self._oldest_unsent_wall_ns = frames[0].start_wall_ns
        await self._send(WriteKind.FRAME, self._writer.frames(frames))
        await self._move_to(self._cursor._replace(frame=frames[-1].position))
        return True

    async def _send_run_ends(self) -> bool:
        """Send the results of the runs that ended next; ``False`` if none did."""
        ends = await self._in_thread(self._store.outgoing.run_ends_after, self._cursor.run_end, _BATCH_RUNS)
        if not ends:
            return False
        self._oldest_unsent_wall_ns = ends[0].wall_ns
        await self._send(WriteKind.RUN_END, self._results(ends))
        await self._move_to(self._cursor._replace(run_end=ends[-1].position))
        return True

    async def _end_series(self) -> None:
        """End the series of devices that are gone, once everything that they brought is sent."""
        outgoing = self._store.outgoing
        for device_id, left_seconds in self._presence.gone_for(self._to.stale_after_seconds):
            if self._ended.get(device_id) == left_seconds:
                continue
            frames = await self._in_thread(outgoing.last_frames, self.name, device_id, _LAST_FRAMES)
            if frames:
                await self._send(WriteKind.SERIES_END, self._writer.ends(frames, STALE_AFTER_NS))
                await self._in_thread(outgoing.end_series, self.name, device_id, frames[0].position)
            self._ended[device_id] = left_seconds

    def _results(self, ends: Sequence[RunEnd]) -> Iterator[Piece]:
        for end in ends:
            for name, labels, value in values_of(self._store, end):
                yield self._writer.single(end.position, name, labels, value, end.wall_ns)

    async def _move_to(self, cursor: Cursor) -> None:
        await self._in_thread(self._store.outgoing.move_cursor, self.name, cursor)
        self._cursor = cursor
        self._unreadable.inc(self._writer.take_unreadable_blocks())

    async def _send(self, kind: WriteKind, pieces: Iterator[Piece]) -> None:
        parcels = pack(pieces, self._to.samples_per_request)
        while (parcel := await self._in_thread(next, parcels, None)) is not None:
            await self._deliver(kind, parcel)

    async def _deliver(self, kind: WriteKind, parcel: Parcel) -> None:
        """Bring a parcel there. If its content is refused, halve it until what is at fault stands alone.

        Prometheus keeps nothing of a request in which it finds one sample too old.
        """
        answer = await self._settle(await self._in_thread(parcel.body))
        if answer.outcome is Outcome.TAKEN:
            self._sent.inc(parcel.sample_count)
            return
        halves = parcel.halves()
        for half in halves:
            await self._deliver(kind, half)
        if not halves:
            await self._set_aside(kind, parcel, answer)

    async def _settle(self, body: bytes) -> Answer:
        """Post until the destination takes it or refuses it."""
        limit_seconds = self._to.min_backoff_seconds
        while True:
            answer = await self._transport.post(body)
            self._tell(answer)
            if answer.outcome is not Outcome.LATER:
                return answer
            self._retries.inc()
            wait_seconds = limit_seconds * random.uniform(0.5, 1.0)
            await asyncio.sleep(max(wait_seconds, answer.retry_after_seconds))
            limit_seconds = min(2 * limit_seconds, self._to.max_backoff_seconds)

    async def _set_aside(self, kind: WriteKind, parcel: Parcel, answer: Answer) -> None:
        position = parcel.pieces[0].position
        self._failed.inc(parcel.sample_count)
        refused = RefusedWrite(
            self.name, kind, position, parcel.sample_count, answer.status, answer.reason, time.time_ns()
        )
        await self._in_thread(self._store.outgoing.set_aside, refused)
        _log.debug("remote write to %s: %s %d is set aside: %s", self.name, kind.value, position, answer.reason)

    def _tell(self, answer: Answer) -> None:
        """Log when trouble begins, changes or ends, once each."""
        trouble = "" if answer.outcome is Outcome.TAKEN else answer.reason
        if trouble == self._trouble:
            return
        if answer.outcome is Outcome.TAKEN:
            _log.info("remote write to %s goes on", self.name)
        elif answer.outcome is Outcome.REFUSED:
            _log.warning("remote write to %s: samples are refused and set aside: %s", self.name, answer.reason)
        else:
            _log.warning("remote write to %s waits, nothing is lost: %s", self.name, answer.reason)
        self._trouble = trouble

    def _lag_seconds(self) -> float:
        oldest = self._oldest_unsent_wall_ns
        return 0.0 if oldest is None else max((time.time_ns() - oldest) / 1e9, 0.0)

    async def _in_thread(self, call: Callable[..., T], *args: object, **options: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args, **options))
