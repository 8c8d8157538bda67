"""Feeding the service manager's watchdog."""

import asyncio
import logging
from collections.abc import Callable

from edgeprof.service_manager import ServiceManager

_log = logging.getLogger(__name__)

# How often the watchdog is fed within the time that it waits.
_FEEDS = 3


async def feed_watchdog(manager: ServiceManager, trouble: Callable[[], str | None], status: Callable[[], str]) -> None:
    """Feed the watchdog while there is no trouble, until cancelled. Without a watchdog, only wait for that.

    It runs on the service's own event loop, so a loop that hangs feeds nothing either.

    Args:
        manager: who is told.
        trouble: what does not progress though it should, in a line; ``None`` when all is well.
        status: a line on how the service is, for people.
    """
    if manager.watchdog_seconds is None:
        await asyncio.Event().wait()
        return
    told = False
    while True:
        found = trouble()
        if found is None:
            manager.alive(status())
        else:
            manager.in_trouble(found)
            if not told:
                _log.error("%s; if that stays so, the service manager starts this service again", found)
        told = found is not None
        await asyncio.sleep(manager.watchdog_seconds / _FEEDS)
