"""Asking for what must not be done twice, of a collector that may not answer."""

import time
from collections.abc import Callable
from typing import TypeVar

from edgeprof_collector.client.http import UnreachableError

T = TypeVar("T")

_PAUSES_SECONDS = (0.5, 2.0, 5.0)


def ask_again(ask: Callable[[], T]) -> T:
    """Return what ``ask`` gives, asking a few times more while the collector cannot be reached.

    What is asked for has an idempotency key: had an answer been lost, asking again gives it and does nothing else.

    Raises:
        EdgeprofError: the collector refuses it, or still cannot be reached.
    """
    pauses_seconds = iter(_PAUSES_SECONDS)
    while True:
        try:
            return ask()
        except UnreachableError:
            pause_seconds = next(pauses_seconds, None)
            if pause_seconds is None:
                raise
        time.sleep(pause_seconds)
