"""The jobs of every device: kept in the store, sent one at a time, followed to their end.

Level, not edge: whenever a device connects, what it knows is laid beside what the store knows, and the difference is
put right. So neither a lost message nor a restart at either end leaves a job hanging.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import suppress
from functools import partial

from edgeprof.job import JobState, JobStatus
from edgeprof.messages import to_message
from edgeprof.run import Progress
from edgeprof.v1.uplink_pb2 import CollectorMessage, JobCancel, JobStatusAck
from edgeprof_collector.jobs import states
from edgeprof_collector.jobs.hub import JobHub
from edgeprof_collector.jobs.ledger import JobLedger
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate
from edgeprof_collector.jobs.target import find_device
from edgeprof_collector.store.errors import NotFoundError, StoreError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import JobRecord

Send = Callable[[CollectorMessage], None]

_log = logging.getLogger(__name__)

_STORE_PATIENCE_SECONDS = 60.0


class JobQueue:
    """Jobs from submission to their final state, for one event loop. :meth:`expire` goes on beside the rest."""

    def __init__(self, store: Store, now_wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._hub = JobHub()
        self._ledger = JobLedger(store, self._hub, now_wall_ns)
        self._links: dict[str, Send] = {}
        # A device hears of a job exactly once per stream only if nothing changes between looking and sending.
        self._dispatching = asyncio.Lock()
        self._submitted = asyncio.Event()

    async def submit(self, request: JobRequest) -> JobRecord:
        """Queue a run, and send it if its device is connected and has no other.

        Raises:
            NotFoundError: no device, or more than one, is the target.
        """
        device = find_device(await asyncio.to_thread(self._store.devices), request.target)
        now = self._ledger.now_wall_ns()
        job = await self._ledger.add(
            JobRecord(
                job_id=uuid.uuid4().hex,
                device_id=device.facts.device_id,
                plan=request.plan,
                model=request.model,
                engine=request.engine,
                python=request.python,
                idempotency_key=request.idempotency_key,
                created_wall_ns=now,
                updated_wall_ns=now,
                expires_wall_ns=now + round(request.queue_seconds * 1e9),
            )
        )
        self._submitted.set()
        async with self._dispatching:
            await self._dispatch(job.device_id)
        return await self._ledger.job(job.job_id)

    async def cancel(self, job_id: str) -> JobRecord:
        """Give a job up. One that its device has ends when the device says so.

        Raises:
            NotFoundError: no job has this identity.
        """
        async with self._dispatching:
            job = await self._ledger.change(job_id, states.cancelled)
            if not job.state.final:
                self._send(job.device_id, _cancellation(job_id))
            return job

    async def job(self, job_id: str) -> JobRecord:
        """Return one job.

        Raises:
            NotFoundError: no job has this identity.
        """
        return await self._ledger.job(job_id)

    async def jobs(self) -> tuple[JobRecord, ...]:
        """Return every job, the latest first."""
        return await self._ledger.jobs()

    async def watch(self, job_id: str) -> AsyncGenerator[JobUpdate, None]:
        """Yield how a job stands, now and whenever that changes, up to its final state or :meth:`close`.

        Raises:
            NotFoundError: no job has this identity.
        """
        with self._hub.watching(job_id) as updates:
            self._hub.publish_status(states.status_of(await self._ledger.job(job_id)))
            async for update in updates:
                yield update

    def close(self) -> None:
        """Let nobody wait for news any more."""
        self._hub.close()

    async def device_connected(self, device_id: str, known: Collection[JobStatus], send: Send) -> None:
        """Lay the jobs that a device knows beside those stored for it, and tell it what it lacks.

        Args:
            device_id: the device.
            known: how its jobs stand, by its hello.
            send: puts a message on its stream, at once.
        """
        async with self._dispatching:
            self._links[device_id] = send
            for status in known:
                await self._note(device_id, status)
            known_ids = {status.job_id for status in known}
            for job in await self._ledger.open_jobs(device_id):
                if job.job_id not in known_ids:
                    await self._reclaim(job)
                elif job.cancel_requested:
                    self._send(device_id, _cancellation(job.job_id))
            await self._dispatch(device_id)

    def device_disconnected(self, device_id: str) -> None:
        """Keep the device's jobs until it is back."""
        self._links.pop(device_id, None)

    async def status_reported(self, device_id: str, status: JobStatus) -> None:
        """Note how a job stands on its device, acknowledge it, and send the next job after the last."""
        async with self._dispatching:
            await self._note(device_id, status)
            if status.state.final:
                await self._dispatch(device_id)

    def progress_reported(self, progress: Progress) -> None:
        """Pass on how far a job's run is. It is not kept."""
        self._hub.publish_progress(progress)

    async def expire(self) -> None:
        """Give up jobs that wait too long, until cancelled."""
        while True:
            self._submitted.clear()
            try:
                patience_seconds = await self._expire_due()
            except StoreError as error:
                _log.error("%s; jobs that wait too long will be given up later", error)
                patience_seconds = _STORE_PATIENCE_SECONDS
            with suppress(asyncio.TimeoutError):  # the next one is due
                await asyncio.wait_for(self._submitted.wait(), patience_seconds)

    async def _expire_due(self) -> float | None:
        """Give up what is due; return how long nothing else will be, ``None`` when nothing else waits."""
        now = self._ledger.now_wall_ns()
        waiting = [job for job in await self._ledger.open_jobs() if job.state is JobState.QUEUED]
        for job in waiting:
            if job.expires_wall_ns <= now:
                await self._ledger.change(job.job_id, partial(states.expired, now_wall_ns=now))
        return min(((job.expires_wall_ns - now) / 1e9 for job in waiting if job.expires_wall_ns > now), default=None)

    async def _note(self, device_id: str, status: JobStatus) -> None:
        """Acknowledge a status even when it is no news or of an unknown job: the device should stop repeating it."""
        try:
            job = await self._ledger.job(status.job_id)
            if job.device_id == device_id:
                await self._ledger.change(status.job_id, partial(states.reported, status=status))
            else:
                _log.warning("%s reports job %s, which is of %s: ignored", device_id, job.job_id, job.device_id)
        except NotFoundError:
            _log.warning("%s reports job %s, which is not stored: ignored", device_id, status.job_id)
        acknowledgement = to_message(status)
        self._send(
            device_id,
            CollectorMessage(job_status_ack=JobStatusAck(job_id=status.job_id, state=acknowledgement.state)),
        )

    async def _reclaim(self, job: JobRecord) -> None:
        """Settle a job that its device does not know: send it again, or end it."""
        now = self._ledger.now_wall_ns()
        settled = await self._ledger.change(job.job_id, partial(states.forgotten, now_wall_ns=now))
        if settled.state is JobState.SENT:
            self._send(settled.device_id, self._command(settled))

    async def _dispatch(self, device_id: str) -> None:
        """Send a device its oldest waiting job, unless it is away or has one."""
        if device_id not in self._links:
            return
        for waiting in await self._ledger.open_jobs(device_id):
            if waiting.state is not JobState.QUEUED:
                return
            job = await self._ledger.change(waiting.job_id, states.sent)
            if job.state is JobState.SENT:
                self._send(device_id, self._command(job))
                return

    def _command(self, job: JobRecord) -> CollectorMessage:
        return CollectorMessage(job=to_message(states.command_of(job, self._ledger.now_wall_ns())))

    def _send(self, device_id: str, message: CollectorMessage) -> None:
        if send := self._links.get(device_id):
            send(message)


def _cancellation(job_id: str) -> CollectorMessage:
    return CollectorMessage(cancel=JobCancel(job_id=job_id))
