"""All destinations of a collector."""

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any

from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.remote_write.destination import RemoteWrite
from edgeprof_collector.remote_write.presence import Presence
from edgeprof_collector.remote_write.sender import Sender
from edgeprof_collector.store.protocol import Store


class RemoteWriting:
    """A listener of the intake that wakes a sender for each destination. The senders read from the store.

    Args:
        destinations: as configured, checked.
        store: what is sent.
        health: where it is counted.
        known: the devices of earlier days.
    """

    def __init__(
        self, destinations: Sequence[RemoteWrite], store: Store, health: CollectorHealth, known: Iterable[str]
    ) -> None:
        self._presence = Presence(known)
        self._senders = [Sender(destination, store, self._presence, health) for destination in destinations]

    def running(self) -> list[Coroutine[Any, Any, None]]:
        """One coroutine for each destination; it sends until it is cancelled."""
        return [sender.run() for sender in self._senders]

    def on_connected(self, device_id: str) -> None:
        """The device's series go on."""
        self._presence.on_connected(device_id)

    def on_disconnected(self, device_id: str) -> None:
        """The device's series end, unless it comes back soon."""
        self._presence.on_disconnected(device_id)

    def on_lost(self, device_id: str, messages: int) -> None:
        """What never arrives cannot be sent on."""

    def on_frame(self, device_id: str, layouts: Mapping[int, Layout], frame: Frame) -> None:  # noqa: ARG002  a listener
        """There is something to send."""
        self._wake()

    def run_finished(self, _run_id: str) -> None:
        """There are results to send."""
        self._wake()

    def _wake(self) -> None:
        for sender in self._senders:
            sender.notify()
