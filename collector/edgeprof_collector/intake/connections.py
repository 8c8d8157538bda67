"""Which device has which stream, and what is remembered of a device between its streams."""

import logging
from typing import Protocol

import grpc

from edgeprof_collector.intake.clock import DeviceClock

_log = logging.getLogger(__name__)


class EndableStream(Protocol):
    """A stream that can be ended from this side."""

    @property
    def peer(self) -> str:
        """The address at the other end."""
        ...

    def end(self, code: grpc.StatusCode, reason: str) -> None:
        """End the stream soon, and tell the device why."""
        ...


class Connections:
    """The streams of one collector, one for each device."""

    def __init__(self) -> None:
        self._streams: dict[str, EndableStream] = {}
        self._clocks: dict[str, DeviceClock] = {}

    def enter(self, device_id: str, stream: EndableStream) -> None:
        """Make this the device's stream. An older one ends: it is half-open, or another device has the same id."""
        older = self._streams.get(device_id)
        self._streams[device_id] = stream
        if older:
            _log.warning("%s connects from %s and takes the place of %s", device_id, stream.peer, older.peer)
            older.end(grpc.StatusCode.ABORTED, "a newer stream of this device has taken its place")

    def leave(self, device_id: str, stream: EndableStream) -> bool:
        """Forget a stream; ``False`` if another has taken its place already."""
        if self._streams.get(device_id) is not stream:
            return False
        del self._streams[device_id]
        return True

    def clock(self, device_id: str) -> DeviceClock:
        """The device's clock, as far as it is known."""
        return self._clocks.setdefault(device_id, DeviceClock())

    def end_all(self, code: grpc.StatusCode, reason: str) -> None:
        """End every stream."""
        for stream in list(self._streams.values()):
            stream.end(code, reason)
