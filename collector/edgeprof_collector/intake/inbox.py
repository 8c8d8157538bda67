"""What one stream has received and the store has not kept yet."""

import asyncio
from collections.abc import Callable, Sequence

from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Arrival, Delivery


class Inbox:
    """Arrivals of one stream, between its reader and the writer of them all.

    Args:
        device_id: the device.
        epoch: of the device's spool.
        life: the agent's process.
        on_committed: told the cursor after a commit, and what was delivered in it.
        on_failed: told why the store kept nothing of a delivery.
    """

    def __init__(
        self,
        device_id: str,
        epoch: bytes,
        life: bytes,
        on_committed: Callable[[int, Sequence[Arrival]], None],
        on_failed: Callable[[StoreError], None],
    ) -> None:
        self.device_id = device_id
        self.epoch = epoch
        self.life = life
        self.pending_bytes = 0
        self._on_committed = on_committed
        self._on_failed = on_failed
        self._arrivals: list[Arrival] = []
        self._layouts: list[Layout] = []
        self._delivery: Delivery | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def describe(self, layout: Layout) -> None:
        """Take a layout, to be stored with the arrivals after it."""
        self._layouts.append(layout)

    def add(self, arrival: Arrival) -> None:
        """Take an arrival. The caller has checked that it follows the one before."""
        self._arrivals.append(arrival)
        self.pending_bytes += len(arrival.payload)
        self._empty.clear()

    def take(self, wall_ns: int) -> Delivery:
        """Hand over everything, to be followed by :meth:`committed` or :meth:`failed`."""
        self._delivery = Delivery(self.device_id, self.epoch, self._layouts, self._arrivals, wall_ns, self.life)
        self._arrivals, self._layouts, self.pending_bytes = [], [], 0
        return self._delivery

    def committed(self, cursor: int) -> None:
        """What was taken is stored, up to ``cursor``."""
        self._on_committed(cursor, self._settle())

    def failed(self, error: StoreError) -> None:
        """Nothing of what was taken is stored; the device will send it again."""
        self._settle()
        self._on_failed(error)

    async def empty(self) -> None:
        """Wait until everything received has been stored, or has failed to be."""
        await self._empty.wait()

    def _settle(self) -> Sequence[Arrival]:
        delivery, self._delivery = self._delivery, None
        if not self._arrivals:
            self._empty.set()
        return delivery.arrivals if delivery else ()
