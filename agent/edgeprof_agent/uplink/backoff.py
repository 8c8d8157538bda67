"""How long to wait before the next attempt to connect."""

import random
from collections.abc import Callable

_FIRST_SECONDS = 1.0
_FACTOR = 1.6
_JITTER = 0.2
_LONGEST_SECONDS = 60.0


class Backoff:
    """Exponential waits with jitter, so that a fleet does not return all at once.

    Source: gRPC's connection backoff protocol, with a shorter cap.
    """

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._seconds = _FIRST_SECONDS

    def next_seconds(self) -> float:
        """Return how long to wait now; the next wait is longer."""
        seconds = self._seconds
        self._seconds = min(self._seconds * _FACTOR, _LONGEST_SECONDS)
        return seconds * self._uniform(1 - _JITTER, 1 + _JITTER)

    def reset(self) -> None:
        """Begin with the shortest wait again: the collector was heard."""
        self._seconds = _FIRST_SECONDS
