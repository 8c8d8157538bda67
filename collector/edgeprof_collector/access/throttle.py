"""How many wrong tokens an address may send."""

import time
from collections import OrderedDict
from collections.abc import Callable

_BURST = 10
_REFILL_SECONDS = 6.0
_MOST_ADDRESSES = 4096


class Throttle:
    """A bucket for each address: some wrong tokens at once, then one in six seconds.

    A right token always passes: its 256 bits cannot be guessed, and who shares an address with a faulty script must
    not be locked out by it. What is spared is the work, the log and the audit of what is wrong.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wrong(self, address: str) -> float:
        """Count a wrong token; return 0, or for how many seconds this address should send none."""
        now = self._monotonic()
        full_at = max(self._full_at.pop(address, now), now)
        wait = full_at - now - (_BURST - 1) * _REFILL_SECONDS
        if wait <= 0:
            full_at += _REFILL_SECONDS
        self._full_at[address] = full_at
        while len(self._full_at) > _MOST_ADDRESSES:
            self._full_at.popitem(last=False)
        return max(wait, 0.0)
