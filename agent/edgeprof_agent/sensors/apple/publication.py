"""A counter that its driver brings up to date when it likes, and its rate between two updates.

On an M5 Max the counters in millijoules grow every 2.03 to 2.23 s and stand still in between; the GPU's grows at each
sample. Energy by the time between two samples would be nothing, then many times too much. So a rate is that from one
update to the next, by the driver's own time stamps, and holds until there is another.
"""

_SECOND_NS = 1_000_000_000
# An update is sometimes followed by a small second one after 9 to 26 ms. It counts with the next.
_LEAST_SPAN_NS = 50_000_000
# Without an update for so long the counter has stalled: its last rate says nothing about now.
_LONGEST_SPAN_NS = 10 * _SECOND_NS
# A stamp this far in the future is by another clock, or no stamp at all.
_LARGEST_LEAD_NS = _SECOND_NS


class PublishedCounter:
    """The total that a counter gained, in its own unit, and its rate."""

    def __init__(self) -> None:
        self.total = 0
        self._pending = 0
        self._rate: float | None = None
        self._since_ns: int | None = None
        self._last_stamp_ns: int | None = None
        self._last_observed_ns = 0
        self._is_stamped = True

    def take(self, gained: int, published_ns: int | None, observed_ns: int) -> None:
        """Take what was gained between two samples, when the driver says that it last updated, and when it was seen.

        A counter that lost something has begun again: nothing was gained that could be told.
        """
        if gained < 0:
            self._restart(published_ns if published_ns is not None else observed_ns)
            self._last_observed_ns = observed_ns
            return
        self.total += gained
        self._pending += gained
        update_ns = self._update_time(gained, published_ns, observed_ns)
        if self._since_ns is None:  # what was pending since an unknown time has no rate
            self._restart(update_ns)
        elif update_ns - self._since_ns >= _LEAST_SPAN_NS:
            self._rate = self._pending / (update_ns - self._since_ns) * _SECOND_NS
            self._since_ns, self._pending = update_ns, 0
        elif update_ns < self._since_ns:
            self._restart(update_ns)
        self._last_observed_ns = observed_ns

    def rate(self) -> float | None:
        """Return the gain per second between the last two updates; ``None`` before, and when there are no more."""
        is_stalled = self._since_ns is None or self._last_observed_ns - self._since_ns > _LONGEST_SPAN_NS
        return None if is_stalled else self._rate

    def reset(self) -> None:
        """Begin again from nothing: for a time nobody knows what was counted."""
        self.total = 0
        self._pending, self._rate, self._since_ns = 0, None, None

    def _restart(self, now_ns: int) -> None:
        self._pending, self._rate, self._since_ns = 0, None, now_ns

    def _update_time(self, gained: int, published_ns: int | None, observed_ns: int) -> int:
        """Return when the counter was last updated.

        Stamps that are missing, lie in the future, or stand still while the counter grows are given up for good.
        Without them an update is when growth is seen.
        """
        is_sound = (
            published_ns is not None
            and published_ns <= observed_ns + _LARGEST_LEAD_NS
            and not (gained and published_ns == self._last_stamp_ns)
        )
        self._last_stamp_ns = published_ns
        if self._is_stamped and is_sound and published_ns is not None:
            return published_ns
        if self._is_stamped:  # the span so far began by stamps that mean nothing
            self._is_stamped = False
            self._since_ns = self._last_observed_ns if self._since_ns is not None else None
        return observed_ns if gained or self._since_ns is None else self._since_ns
