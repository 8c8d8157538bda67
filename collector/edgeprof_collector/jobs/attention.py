"""Devices that somebody watches are asked to tell of themselves every second."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edgeprof.v1.uplink_pb2 import CollectorMessage, Settings

_WATCHED_FRAME_SECONDS = 1.0
_AS_CONFIGURED = 0.0


class Attention:
    """Who is watched, for one event loop. ``send`` puts a message on a device's stream, if it has one."""

    def __init__(self, send: Callable[[str, CollectorMessage], None]) -> None:
        self._send = send
        self._watchers: Counter[str] = Counter()
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether nobody is to watch any more."""
        return self._closed.is_set()

    @contextmanager
    def watching(self, device_id: str) -> Iterator[None]:
        """Have a device told so for as long as the block lasts; the last of several watchers ends it."""
        self._watchers[device_id] += 1
        if self._watchers[device_id] == 1:
            self._tell(device_id, _WATCHED_FRAME_SECONDS)
        try:
            yield
        finally:
            self._watchers[device_id] -= 1
            if not self._watchers[device_id]:
                del self._watchers[device_id]
                self._tell(device_id, _AS_CONFIGURED)

    def connected(self, device_id: str) -> None:
        """A device has a new stream, on which it has not been told."""
        if device_id in self._watchers:
            self._tell(device_id, _WATCHED_FRAME_SECONDS)

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until :meth:`close`."""
        closing = asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({closing}, timeout=seconds)
        finally:
            closing.cancel()

    def close(self) -> None:
        """Let nobody watch any more."""
        self._closed.set()

    def _tell(self, device_id: str, idle_frame_seconds: float) -> None:
        self._send(device_id, CollectorMessage(settings=Settings(idle_frame_seconds=idle_frame_seconds)))
