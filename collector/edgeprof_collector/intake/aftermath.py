"""What follows when a stream's arrivals are stored: the acknowledgement, and the news for those who listen."""

import logging
from collections.abc import Callable, Mapping, Sequence

import grpc

from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof_collector.intake.ending import STORE_FAILS
from edgeprof_collector.intake.outbox import Outbox
from edgeprof_collector.intake.parties import Parties
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Arrival

_log = logging.getLogger(__name__)

End = Callable[[grpc.StatusCode, str], None]


class Aftermath:
    """Hears from the writer what became of one stream's arrivals.

    Args:
        device_id: the device.
        layouts: what the stream has described, by number.
        outbox: where acknowledgements go.
        parties: who else wants to know.
        end: ends the stream, and tells the device why.
        stored_sequence: where the stream begins.
    """

    def __init__(
        self,
        device_id: str,
        layouts: Mapping[int, Layout],
        outbox: Outbox,
        parties: Parties,
        end: End,
        stored_sequence: int,
    ) -> None:
        self._device_id = device_id
        self._layouts = layouts
        self._outbox = outbox
        self._parties = parties
        self._end = end
        self._stored_sequence = stored_sequence

    def committed(self, cursor: int, arrivals: Sequence[Arrival]) -> None:
        """Everything up to ``cursor`` is stored."""
        self._outbox.acknowledge(cursor)
        self._parties.health.messages.inc(len(arrivals))
        stored = [arrival for arrival in arrivals if arrival.sequence <= cursor]
        if len(stored) < len(arrivals):  # another collector, or a layout with two meanings, has moved the ground
            self._end(grpc.StatusCode.ABORTED, f"the store goes on after message {cursor}")
        for arrival in stored:
            self._tell(arrival)
            self._stored_sequence = arrival.sequence

    def failed(self, _error: StoreError) -> None:
        """Nothing is stored; the writer has said why."""
        self._end(grpc.StatusCode.UNAVAILABLE, STORE_FAILS)

    def _tell(self, arrival: Arrival) -> None:
        message = arrival.message
        try:
            if message.HasField("frame"):
                self._parties.health.frames.inc()
                if not arrival.fault:
                    for listener in self._parties.listeners:
                        listener.on_frame(self._device_id, self._layouts, message.frame)
            elif message.HasField("gap"):
                self._parties.health.gaps.inc()
                lost = arrival.sequence - max(arrival.first_sequence - 1, self._stored_sequence)
                for listener in self._parties.listeners:
                    listener.on_lost(self._device_id, lost)
            elif message.run_event.HasField("finished"):
                self._parties.on_run_finished(message.run_event.finished.run_id)
        except Exception:  # noqa: BLE001 - a fault in a listener must not cost any device its stream
            _log.exception("%s: message %d is stored but was not passed on", self._device_id, arrival.sequence)
