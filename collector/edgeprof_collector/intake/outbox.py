"""What goes down one stream to its device."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from edgeprof.v1.uplink_pb2 import Ack, CollectorMessage

# Jobs and their acknowledgements are few. A device that lets so many lie does not read.
MOST_UNSENT = 256


class Outbox:
    """Messages in order, and of acknowledgements only the latest: they are watermarks.

    Args:
        write: puts one message on the stream, waiting for room.
        on_full: called when the device does not read what it is sent.
    """

    def __init__(
        self, write: Callable[[CollectorMessage], Awaitable[None]], on_full: Callable[[], None], acknowledged: int
    ) -> None:
        self._write = write
        self._on_full = on_full
        self._messages: deque[CollectorMessage] = deque()
        self._acknowledged = acknowledged
        self._to_acknowledge = acknowledged
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, message: CollectorMessage) -> None:
        """Send a message after those before it."""
        if len(self._messages) >= MOST_UNSENT:
            self._on_full()
            return
        self._messages.append(message)
        self._wake()

    def acknowledge(self, stored_sequence: int) -> None:
        """Tell the device that everything up to here is stored."""
        self._to_acknowledge = stored_sequence
        self._wake()

    async def run(self) -> None:
        """Send, until cancelled or the stream ends."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._messages:
                await self._write(self._messages.popleft())
            if self._to_acknowledge > self._acknowledged:
                self._acknowledged = self._to_acknowledge
                await self._write(CollectorMessage(ack=Ack(stored_sequence=self._acknowledged)))
            if not self._news.is_set():
                self._idle.set()

    async def idle(self) -> None:
        """Wait until everything put so far is written."""
        await self._idle.wait()

    def _wake(self) -> None:
        self._idle.clear()
        self._news.set()
