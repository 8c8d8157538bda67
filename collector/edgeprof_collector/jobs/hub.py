"""Tells whoever watches a job how it goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from edgeprof.job import JobStatus
from edgeprof.run import Progress
from edgeprof_collector.jobs.messages import JobUpdate


class _Watcher:
    """The latest news for one watcher. A slow one misses what is no longer so, and nothing piles up."""

    def __init__(self) -> None:
        self.status: JobStatus | None = None
        self.progress: Progress | None = None
        self.ended = False
        self.news = asyncio.Event()

    async def updates(self) -> AsyncIterator[JobUpdate]:
        over = False
        while not over:
            await self.news.wait()
            self.news.clear()
            over = self.ended
            if self.status is not None:  # progress may come before the first status
                over = over or self.status.state.final
                yield JobUpdate(status=self.status, progress=self.progress)


class JobHub:
    """Hands updates of jobs to their watchers, within one event loop."""

    def __init__(self) -> None:
        self._watchers: dict[str, list[_Watcher]] = {}
        self._closed = False

    def publish_status(self, status: JobStatus) -> None:
        """Tell how a job stands."""
        for watcher in self._watchers.get(status.job_id, ()):
            watcher.status = status
            watcher.news.set()

    def publish_progress(self, progress: Progress) -> None:
        """Tell how far a job's run is."""
        for watcher in self._watchers.get(progress.job_id, ()):
            watcher.progress = progress
            watcher.news.set()

    @contextmanager
    def watching(self, job_id: str) -> Iterator[AsyncIterator[JobUpdate]]:
        """Give what is published of a job from now on, ending with its final status or with the hub."""
        watcher = _Watcher()
        watcher.ended = self._closed
        watchers = self._watchers.setdefault(job_id, [])
        watchers.append(watcher)
        try:
            yield watcher.updates()
        finally:
            watchers.remove(watcher)
            if not watchers:
                self._watchers.pop(job_id, None)

    def close(self) -> None:
        """End what everybody watches, after its last news."""
        self._closed = True
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.ended = True
                watcher.news.set()
