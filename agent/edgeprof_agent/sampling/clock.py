"""The clock that the sampler lives by."""

import os
import select
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic time, and waiting for it."""

    def monotonic_ns(self) -> int:
        """Return the time since some moment, in nanoseconds. It never jumps, whatever the wall clock does."""
        ...

    def wait_until(self, deadline_ns: int) -> None:
        """Return at this time, or sooner if ``wake`` is called or was called since the wait before."""
        ...

    def wake(self) -> None:
        """End the wait of another thread, or its next one."""
        ...

    def close(self) -> None:
        """Let go of what the clock holds. Nobody may be waiting."""
        ...


class MonotonicClock:
    """The system's clock: CLOCK_MONOTONIC, and CLOCK_UPTIME_RAW on macOS.

    It waits in ``select``, whose timeouts no wall clock can stretch: before Python 3.11 those of ``threading`` follow
    the wall clock, which small boards without a battery set hours back or forth when they find the network.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = os.pipe()
        os.set_blocking(self._receiver, False)
        os.set_blocking(self._sender, False)
        self._closing = threading.Lock()
        self._is_closed = False

    def monotonic_ns(self) -> int:
        """Return the system's monotonic time."""
        return time.monotonic_ns()

    def wait_until(self, deadline_ns: int) -> None:
        """Wait for this time or for ``wake``."""
        timeout_seconds = max(0, deadline_ns - time.monotonic_ns()) / 1e9
        if select.select([self._receiver], [], [], timeout_seconds)[0]:
            os.read(self._receiver, 4096)

    def wake(self) -> None:
        """End the wait. Harmless when the clock is closed."""
        with self._closing:
            if self._is_closed:  # the descriptor may be another file's by now
                return
            try:
                os.write(self._sender, b"\0")
            except BlockingIOError:  # thousands of wakes are in the pipe already: one is enough
                return

    def close(self) -> None:
        """Close the pipe."""
        with self._closing:
            self._is_closed = True
            os.close(self._receiver)
            os.close(self._sender)
