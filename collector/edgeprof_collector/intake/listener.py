"""Who hears of what devices send."""

from collections.abc import Mapping
from typing import Protocol

from edgeprof.v1.telemetry_pb2 import Frame, Layout


class IntakeListener(Protocol):
    """Called in the intake's event loop, so none of these may take long."""

    def on_connected(self, device_id: str) -> None:
        """A device has connected; called again when a newer stream takes the place of an older."""
        ...

    def on_disconnected(self, device_id: str) -> None:
        """A device has no stream any more."""
        ...

    def on_lost(self, device_id: str, messages: int) -> None:
        """So many messages of a device will never arrive; heard before it is connected if it says so in its hello."""
        ...

    def on_frame(self, device_id: str, layouts: Mapping[int, Layout], frame: Frame) -> None:
        """A frame is stored. Its header, counts and lengths are right."""
        ...
