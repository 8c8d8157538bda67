"""Keeps the store within what its owner wants to keep."""

import asyncio
import logging
import time
from collections.abc import Sequence

from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.retention import Retention, Retired

_log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 60.0
# Between two passes: others write meanwhile.
_PAUSE_SECONDS = 0.05


class Housekeeping:
    """Thins and gives up what is too old or too much, a little at a time."""

    def __init__(
        self, store: Store, retention: Retention, health: CollectorHealth, destinations: Sequence[str] = ()
    ) -> None:
        self._store = store
        self._retention = retention
        self._health = health
        self._destinations = tuple(destinations)

    async def run(self) -> None:
        """Look once a minute, until cancelled."""
        while True:
            try:
                await self.tidy()
            except StoreError as error:
                _log.error("%s; what is too old is given up later", error)
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def tidy(self) -> None:
        """Give up everything that is too old or too much now.

        Raises:
            StoreError: the store cannot be written.
        """
        while (retired := await asyncio.to_thread(self._pass)) != Retired():
            self._health.retired_frames.inc(retired.frames)
            self._health.retired_runs.inc(retired.runs)
            self._health.thinned_frames.inc(retired.thinned_frames)
            self._health.retired_unsent_frames.inc(retired.unsent_frames)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _pass(self) -> Retired:
        return self._store.retire(self._retention, time.time_ns(), self._destinations)
