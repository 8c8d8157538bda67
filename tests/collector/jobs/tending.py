"""A clock that tests set, and loops that go by it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.scheduler import Scheduler

PATIENCE_SECONDS = 30.0
_LOOKS_PER_SECOND = 200


class Clock:
    """The wall clock, in nanoseconds since 1970, as a test has set it."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that loops do."""

        async def holds() -> bool:
            return condition()

        await self.until_true(holds)

    async def until_true(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something that loops do, and that takes some asking."""
        for _ in range(round(PATIENCE_SECONDS * _LOOKS_PER_SECOND)):
            if await condition():
                return
            await asyncio.sleep(1 / _LOOKS_PER_SECOND)
        raise AssertionError("it never came")


@asynccontextmanager
async def tending(*loops: JobQueue | Scheduler) -> AsyncIterator[None]:
    """Let the loops of queues and schedulers go on within the block."""
    tasks = [asyncio.ensure_future(loop.tend() if isinstance(loop, JobQueue) else loop.run()) for loop in loops]
    try:
        yield
        for task in tasks:
            assert not task.done(), task.exception()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
