"""Time that a card's engines worked for a workload: a total that only grows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from edgeprof_agent.sensors.drm_fdinfo import DrmClient

_Key = tuple[str, str]  # card and engine


class EngineTime:
    """Adds up what users of cards have gained. What one gained stays when it is gone.

    Cycles become seconds by the share of an engine's cycles since the look before. A count that falls is one that
    catches up later, as the kernel allows: nothing was gained meanwhile.
    """

    def __init__(self) -> None:
        self._totals: defaultdict[_Key, float] = defaultdict(float)
        self._last_ns: dict[tuple[str, str, str], int] = {}
        self._last_cycles: dict[tuple[str, str, str], tuple[int, int, float]] = {}

    def advance(self, clients: Iterable[DrmClient], now_seconds: float) -> Mapping[_Key, float]:
        """Take the users' counts, read at this time, and return the seconds of each card's engines so far."""
        for client in clients:
            for engine, busy_ns in client.engine_ns.items():
                self._advance_time(client, engine, busy_ns)
            for engine, (busy, total) in client.engine_cycles.items():
                self._advance_cycles(client, engine, busy, total, now_seconds)
        return self._totals

    def _advance_time(self, client: DrmClient, engine: str, busy_ns: int) -> None:
        user = (client.slot, client.number, engine)
        last_ns = self._last_ns.get(user, 0)
        self._totals[client.slot, engine] += max(0, busy_ns - last_ns) / 1e9
        self._last_ns[user] = max(busy_ns, last_ns)

    def _advance_cycles(self, client: DrmClient, engine: str, busy: int, total: int, now_seconds: float) -> None:
        user = (client.slot, client.number, engine)
        last_busy, last_total, last_seconds = self._last_cycles.get(user, (busy, total, now_seconds))
        gained = 0.0
        if total > last_total and busy > last_busy:
            gained = (busy - last_busy) / (total - last_total) * (now_seconds - last_seconds)
        self._totals[client.slot, engine] += gained
        if total >= last_total:
            self._last_cycles[user] = max(busy, last_busy), total, now_seconds
