"""What the device is, kept true while it runs."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from edgeprof.device import DeviceFacts
from edgeprof_agent.sensors.device_facts import refresh_device_facts

_log = logging.getLogger(__name__)

_CHECK_SECONDS = 30.0


class CurrentFacts:
    """The facts as they are now. Belongs to the running event loop.

    Args:
        gather: reads all of them.
        root: of the file system that the changing ones are read from.
        changed: called when a fact is another than before.
        check_seconds: between two looks at those that change while the device runs.
    """

    def __init__(
        self,
        gather: Callable[[], DeviceFacts],
        root: Path,
        *,
        changed: Callable[[], None],
        check_seconds: float = _CHECK_SECONDS,
    ) -> None:
        self.latest = gather()
        self._gather = gather
        self._root = root
        self._changed = changed
        self._check_seconds = check_seconds

    def gather_again(self) -> DeviceFacts:
        """Read all facts again and return them."""
        self._take(self._gather())
        return self.latest

    async def watch(self) -> None:
        """Look at the facts that change, again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._check_seconds)
            before = self.latest
            now = await asyncio.to_thread(refresh_device_facts, before, self._root)
            if self.latest is before:  # nothing newer was gathered meanwhile
                self._take(now)

    def _take(self, facts: DeviceFacts) -> None:
        if facts != self.latest:
            _log.info("the device has changed: its collector is told")
            self.latest = facts
            self._changed()
