"""What wakes a loop before its time."""

import asyncio


class Bell:
    """Rung by whoever has news for a loop that sleeps. Belongs to one event loop."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop now, or keep it from sleeping next time."""
        self._rung.set()

    async def wait(self, longest_seconds: float | None) -> None:
        """Sleep until the bell is rung, but no longer than this; ``None`` for as long as it takes."""
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
        waiting = asyncio.ensure_future(self._rung.wait())
        try:
            await asyncio.wait({waiting}, timeout=longest_seconds)
        finally:
            waiting.cancel()
        self._rung.clear()
