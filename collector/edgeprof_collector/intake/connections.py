"""Which device has which stream, and what is remembered of a device between its streams."""

import logging
from collections.abc import Iterator, Sequence
from typing import Protocol

import grpc

from edgeprof_collector.enrolment.gatekeeper import Peer
from edgeprof_collector.intake.clock import DeviceClock
from edgeprof_collector.intake.ending import Refusal, RefusedThing

_log = logging.getLogger(__name__)


class EndableStream(Protocol):
    """A stream that can be ended from this side."""

    @property
    def name(self) -> str:
        """The host at the other end and its address, for people."""
        ...

    @property
    def lives(self) -> Sequence[bytes]:
        """The agent's process, and those before it that it descends from."""
        ...

    @property
    def peer(self) -> Peer | None:
        """The device's certificate; ``None`` where there is no TLS."""
        ...

    def end(self, code: grpc.StatusCode, reason: str) -> None:
        """End the stream soon, and tell the device why."""
        ...


class Connections:
    """The streams of one collector, one for each device, of ``most_devices`` at most."""

    def __init__(self, most_devices: int) -> None:
        self._most_devices = most_devices
        self._streams: dict[str, EndableStream] = {}
        self._clocks: dict[str, DeviceClock] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def enter(self, device_id: str, stream: EndableStream) -> Refusal | None:
        """Make this the device's stream; or return why it is refused.

        An older stream of the same agent, or of its former process, is half-open and ends. One of another agent stays:
        two have the same identity, and which of them is right a person must say.
        """
        older = self._streams.get(device_id)
        if older and older.lives[0] not in stream.lives:
            return Refusal(
                RefusedThing.IDENTITY,
                f"the identity '{device_id}' is in use by {older.name}: give one of the two another id "
                "(device.id in its configuration)",
            )
        if not older and len(self._streams) >= self._most_devices:
            return Refusal(
                RefusedThing.DEVICE,
                f"this collector has its {self._most_devices} devices (limits.devices in its configuration)",
            )
        self._streams[device_id] = stream
        if older:
            _log.info("%s connects again from %s; its stream before is ended", device_id, stream.name)
            older.end(grpc.StatusCode.ABORTED, "a newer stream of this device has taken its place")
        return None

    def leave(self, device_id: str, stream: EndableStream) -> bool:
        """Forget a stream; ``False`` if another has taken its place already."""
        if self._streams.get(device_id) is not stream:
            return False
        del self._streams[device_id]
        return True

    def clock(self, device_id: str) -> DeviceClock:
        """The device's clock, as far as it is known."""
        return self._clocks.setdefault(device_id, DeviceClock())

    def with_certificates(self) -> Iterator[tuple[str, Peer, EndableStream]]:
        """The devices that have shown a certificate, with it and their streams."""
        for device_id, stream in list(self._streams.items()):
            if stream.peer is not None:
                yield device_id, stream.peer, stream

    def end_all(self, code: grpc.StatusCode, reason: str) -> None:
        """End every stream."""
        for stream in list(self._streams.values()):
            stream.end(code, reason)
