"""Telling systemd how a service is, by the protocol of sd_notify(3): lines of text to a socket that it names."""

import logging
import os
import socket
from collections.abc import MutableMapping

_log = logging.getLogger(__name__)

_MICROSECONDS = 1e6


class ServiceManager:
    """Whoever started this service and wants to hear of it. Without one, everything here does nothing.

    Attributes:
        watchdog_seconds: how often it wants a sign of life at least, or it ends the service; ``None`` if it does not.
    """

    def __init__(self, address: str = "", watchdog_seconds: float | None = None) -> None:
        self.watchdog_seconds = watchdog_seconds
        # A leading @ stands for the zero byte of an address outside the file system.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    @classmethod
    def take_over(cls, environment: MutableMapping[str, str]) -> "ServiceManager":
        """Read ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC``, and remove them: processes started from here are no service."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        meant_for = environment.pop("WATCHDOG_PID", str(os.getpid()))
        watched = address and microseconds.isdecimal() and meant_for == str(os.getpid())
        return cls(address, int(microseconds) / _MICROSECONDS if watched else None)

    def ready(self, status: str) -> None:
        """The service serves, and this is how it is."""
        self._notify("READY=1", f"STATUS={status}")

    def alive(self, status: str) -> None:
        """A sign of life for the watchdog, and how the service is."""
        self._notify("WATCHDOG=1", f"STATUS={status}")

    def in_trouble(self, status: str) -> None:
        """How the service is, without a sign of life."""
        self._notify(f"STATUS={status}")

    def stopping(self) -> None:
        """The service has begun to stop."""
        self._notify("STOPPING=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()

    def _notify(self, *assignments: str) -> None:
        """Send one datagram. If that fails, it is told and that is all: the next may arrive, or the watchdog acts."""
        if self._socket is None:
            return
        try:
            self._socket.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            _log.warning("the service manager cannot be told '%s': %s", assignments[0], error.strerror)
