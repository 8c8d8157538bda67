"""Tells whoever watches jobs how they go on."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager

from edgeprof.job import JobStatus
from edgeprof.run import Progress
from edgeprof_collector.jobs.messages import JobUpdate


class Watcher:
    """The latest news of some jobs for one watcher. A slow one misses what is no longer so, and nothing piles up."""

    def __init__(self, job_ids: Collection[str]) -> None:
        self._statuses: dict[str, JobStatus] = {}
        self._progress: dict[str, Progress] = {}
        self._going_on = set(job_ids)
        self._fresh: dict[str, None] = {}  # in the order in which the news came
        self._ended = False
        self._news = asyncio.Event()

    def start_from(self, status: JobStatus) -> None:
        """Take how a job stood when it was looked up, unless news of it has come since, which then is newer."""
        if status.job_id not in self._statuses:
            self.take_status(status)

    def take_status(self, status: JobStatus) -> None:
        """Take how a job stands now."""
        self._statuses[status.job_id] = status
        self._wake(status.job_id)

    def take_progress(self, progress: Progress) -> None:
        """Take how far a job's run is."""
        self._progress[progress.job_id] = progress
        if progress.job_id in self._statuses:  # else it came before the first status
            self._wake(progress.job_id)

    def end(self) -> None:
        """Let the updates end once the last news is told."""
        self._ended = True
        self._news.set()

    def _wake(self, job_id: str) -> None:
        self._fresh[job_id] = None
        self._news.set()

    async def updates(self) -> AsyncIterator[JobUpdate]:
        """Yield the news as it comes, until every job has ended."""
        while self._going_on:
            await self._news.wait()
            self._news.clear()
            ended = self._ended
            if ended:
                self._fresh.update(dict.fromkeys(self._statuses))
            while self._fresh:
                job_id = next(iter(self._fresh))
                del self._fresh[job_id]
                status = self._statuses[job_id]
                if job_id in self._going_on:
                    if status.state.final:
                        self._going_on.remove(job_id)
                    yield JobUpdate(status=status, progress=self._progress.get(job_id))
            if ended:
                return


class JobHub:
    """Hands updates of jobs to their watchers, within one event loop."""

    def __init__(self) -> None:
        self._watchers: dict[str, list[Watcher]] = {}
        self._closed = False

    def publish_status(self, status: JobStatus) -> None:
        """Tell how a job stands."""
        for watcher in self._watchers.get(status.job_id, ()):
            watcher.take_status(status)

    def publish_progress(self, progress: Progress) -> None:
        """Tell how far a job's run is."""
        for watcher in self._watchers.get(progress.job_id, ()):
            watcher.take_progress(progress)

    @contextmanager
    def watching(self, job_ids: Collection[str]) -> Iterator[Watcher]:
        """Give what is published of some jobs from now on, ending with the last one's final status or with the hub."""
        watcher = Watcher(job_ids)
        if self._closed:
            watcher.end()
        for job_id in job_ids:
            self._watchers.setdefault(job_id, []).append(watcher)
        try:
            yield watcher
        finally:
            for job_id in job_ids:
                watchers = self._watchers[job_id]
                watchers.remove(watcher)
                if not watchers:
                    del self._watchers[job_id]

    def close(self) -> None:
        """End what everybody watches, after its last news."""
        self._closed = True
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.end()
