"""The jobs of every device: kept in the store, sent one at a time, followed to their end.

Level, not edge: whenever a device connects, what it knows is laid beside what the store knows, and the difference is
put right. So neither a lost message nor a restart at either end leaves a job hanging.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Collection
from functools import partial

from edgeprof.job import JobState, JobStatus
from edgeprof.messages import to_message
from edgeprof.run import Progress
from edgeprof.v1.uplink_pb2 import CollectorMessage, JobCancel, JobStatusAck
from edgeprof_collector.jobs import states
from edgeprof_collector.jobs.attention import Attention
from edgeprof_collector.jobs.bell import Bell
from edgeprof_collector.jobs.hub import JobHub
from edgeprof_collector.jobs.ledger import JobLedger
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate
from edgeprof_collector.jobs.requests import (
    jobs_of,
    refuse_another_request,
    refuse_too_many,
    start_wall_ns,
    without_waiting,
)
from edgeprof_collector.jobs.target import find_devices
from edgeprof_collector.store.errors import NotFoundError, StoreError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import JobChange, JobRecord

Send = Callable[[CollectorMessage], None]

_log = logging.getLogger(__name__)

_STORE_PATIENCE_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 60.0


class JobQueue:
    """Jobs from submission to their final state, for one event loop. :meth:`tend` goes on beside the rest.

    ``ended`` is called when a job has ended. ``attention`` is for those who watch devices.
    """

    def __init__(
        self,
        store: Store,
        now_wall_ns: Callable[[], int] = time.time_ns,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._hub = JobHub()
        self._ledger = JobLedger(store.triggers, self._hub, now_wall_ns, ended)
        self._links: dict[str, Send] = {}
        # A device hears of a job exactly once per stream only if nothing changes between looking and sending.
        self._dispatching = asyncio.Lock()
        self._bell = Bell()
        self.attention = Attention(self._send)

    async def submit(
        self, request: JobRequest, *, schedule_id: str = "", due_wall_ns: int = 0
    ) -> tuple[JobRecord, ...]:
        """Queue a run on each device that is meant, and send it where the device is connected and has no other.

        Args:
            request: what is wanted. One that was made before, by its idempotency key, gives the jobs of that time.
            schedule_id: of the schedule that asks for it. A device that still waits for a job of it gets no other.
            due_wall_ns: when that was due.

        Raises:
            NotFoundError: a target names no device, or too many.
            EdgeprofError: the time has passed, the key was another request's, or a device has too many jobs waiting.
        """
        if known := await self._ledger.with_key(request.idempotency_key):
            refuse_another_request(request, known)
            return known
        now = self._ledger.now_wall_ns()
        starts_wall_ns = due_wall_ns or start_wall_ns(request, now)
        devices = find_devices(
            await asyncio.to_thread(self._store.devices), request.targets, await self._revoked_devices()
        )
        open_jobs = await self._ledger.open_jobs()
        if schedule_id:
            devices = without_waiting(devices, open_jobs, schedule_id)
        jobs = jobs_of(request, devices, now, starts_wall_ns=starts_wall_ns, schedule_id=schedule_id)
        refuse_too_many(jobs, open_jobs)
        jobs_kept = await self._ledger.add(jobs)
        self._bell.ring()
        async with self._dispatching:
            for job in jobs_kept:
                await self._dispatch(job.device_id)
        return tuple([await self._ledger.job(job.job_id) for job in jobs_kept])

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

    async def jobs(self, limit: int) -> tuple[JobRecord, ...]:
        """Return the jobs that were asked for last, the latest first."""
        return await self._ledger.jobs(limit)

    async def changes(self, job_id: str) -> tuple[JobChange, ...]:
        """Return everything that became of a job, in order.

        Raises:
            NotFoundError: no job has this identity.
        """
        return await self._ledger.changes(job_id)

    async def watch(self, job_ids: Collection[str]) -> AsyncGenerator[JobUpdate, None]:
        """Yield how each of these jobs stands, now and whenever that changes, until all have ended or :meth:`close`.

        Raises:
            NotFoundError: no job has one of these identities.
        """
        with self._hub.watching(job_ids) as watcher:
            for job_id in job_ids:
                watcher.start_from(states.status_of(await self._ledger.job(job_id)))
            async for update in watcher.updates():
                yield update

    def close(self) -> None:
        """Let nobody wait for news any more."""
        self._hub.close()
        self.attention.close()

    async def device_connected(self, device_id: str, known: Collection[JobStatus], send: Send) -> None:
        """Lay the jobs that a device knows beside those stored for it, and tell it what it lacks.

        Args:
            device_id: the device.
            known: how its jobs stand, by its hello.
            send: puts a message on its stream, at once.
        """
        async with self._dispatching:
            self._links[device_id] = send
            self.attention.connected(device_id)
            for status in known:
                await self._note(device_id, status)
            known_ids = {status.job_id for status in known}
            for job in await self._ledger.open_jobs(device_id):
                await self._ledger.change(job.job_id, self._tended)
                if job.job_id not in known_ids:
                    await self._reclaim(job)
                elif job.cancel_requested:
                    self._send(device_id, _cancellation(job.job_id))
            await self._dispatch(device_id)

    def device_disconnected(self, device_id: str) -> None:
        """Keep the device's jobs until it is back, or until their leases end."""
        self._links.pop(device_id, None)
        self._bell.ring()

    async def status_reported(self, device_id: str, status: JobStatus) -> None:
        """Note how a job stands on its device, acknowledge it, and send the next job after the last."""
        async with self._dispatching:
            await self._note(device_id, status)
            if status.state.final:
                await self._dispatch(device_id)

    def progress_reported(self, progress: Progress) -> None:
        """Pass on how far a job's run is. It is not kept."""
        self._hub.publish_progress(progress)

    async def tend(self) -> None:
        """Do what the clock asks for: start jobs, and give up those that wait too long. Goes on until cancelled."""
        while True:
            try:
                async with self._dispatching:
                    patience_seconds = await self._tend_open_jobs()
            except StoreError as error:
                _log.error("%s; jobs are looked after later", error)
                patience_seconds = _STORE_PATIENCE_SECONDS
            await self._bell.wait(patience_seconds)

    async def _tend_open_jobs(self) -> float | None:
        """Do what is due; return how long nothing else will be, ``None`` when nothing else waits."""
        now = self._ledger.now_wall_ns()
        due_wall_ns = list[int]()
        startable = dict[str, None]()
        open_jobs = await self._ledger.open_jobs()
        revoked = await self._revoked_devices() if open_jobs else ()  # devices come and go, and there are many
        for job in open_jobs:
            connected = job.device_id in self._links
            settled = job
            if job.device_id in revoked:
                settled = await self._ledger.change(job.job_id, states.revoked)
            elif states.tended(job, now, connected=connected) is not job:
                settled = await self._ledger.change(job.job_id, self._tended)
            if not settled.state.final:
                if settled.state is JobState.QUEUED and connected:
                    startable[job.device_id] = None
                if (due := states.due_wall_ns(settled, now, connected=connected)) is not None:
                    due_wall_ns.append(due)
        for device_id in startable:
            await self._dispatch(device_id)
        # The wall clock may be set while this waits, so it looks again before long.
        return min(max(min(due_wall_ns) - now, 0) / 1e9, _LONGEST_WAIT_SECONDS) if due_wall_ns else None

    async def _revoked_devices(self) -> Collection[str]:
        certificates = await asyncio.to_thread(self._store.access.certificates)
        return {one.device_id for one in certificates if one.revoked_wall_ns is not None}

    def _tended(self, job: JobRecord) -> JobRecord:
        return states.tended(job, self._ledger.now_wall_ns(), connected=job.device_id in self._links)

    async def _note(self, device_id: str, status: JobStatus) -> None:
        """Acknowledge a status even when it is no news or of an unknown job: the device should stop repeating it."""
        try:
            job = await self._ledger.job(status.job_id)
            if job.device_id == device_id:
                job = await self._ledger.change(status.job_id, partial(states.reported, status=status))
                if job.state.final and not status.state.final:  # it was given up while its device was away
                    self._send(device_id, _cancellation(job.job_id))
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
        """Send a device the oldest job that may start, unless it is away or has one."""
        if device_id not in self._links:
            return
        now = self._ledger.now_wall_ns()
        open_jobs = await self._ledger.open_jobs(device_id)
        if any(job.state is not JobState.QUEUED for job in open_jobs):
            return
        for waiting in open_jobs:
            if waiting.starts_wall_ns > now or waiting.expires_wall_ns <= now:
                continue
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
