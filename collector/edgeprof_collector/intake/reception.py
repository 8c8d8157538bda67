"""Takes the messages of one stream in: checks them, hands them to the writer, and waits when too much waits."""

import logging
import time

import grpc
from google.protobuf.message import DecodeError

from edgeprof.telemetry import Placement
from edgeprof.v1.run_pb2 import RunEvent
from edgeprof.v1.telemetry_pb2 import Frame, Layout
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.intake.checks import event_fault, frame_fault, gap_fault, layout_fault
from edgeprof_collector.intake.clock import DeviceClock, Placed
from edgeprof_collector.intake.ending import RefusedThing, StreamEndedError
from edgeprof_collector.intake.inbox import Inbox
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.intake.writer import GroupWriter
from edgeprof_collector.store.protocol import Arrival

_log = logging.getLogger(__name__)

MOST_LAYOUTS = 4096


class Reception:
    """The way from a stream's bytes into the inbox.

    Args:
        inbox: where arrivals go.
        layouts: filled with what the stream describes, by number.
        writer: who empties it.
        clock: the device's.
        health: where faults are counted.
        limits: how much may wait.
        received: the sequence up to which the store has everything.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        layouts: dict[int, Layout],
        writer: GroupWriter,
        clock: DeviceClock,
        health: CollectorHealth,
        limits: IntakeLimits,
        received: int,
    ) -> None:
        self._inbox = inbox
        self._layouts = layouts
        self._writer = writer
        self._clock = clock
        self._health = health
        self._limits = limits
        self._received = received
        self._channel_count = self._description_bytes = 0
        self._faulty = False

    async def take(self, payload: bytes) -> AgentMessage | None:
        """Take one message in. Return it if it is neither for the store nor a layout.

        Raises:
            StreamEndedError: the message cannot be parsed, or does not follow the one before.
        """
        try:
            message = AgentMessage.FromString(payload)
        except DecodeError:
            raise StreamEndedError(grpc.StatusCode.INVALID_ARGUMENT, "a message cannot be parsed") from None
        kind = message.WhichOneof("body")
        if message.sequence:
            self._take_spooled(message, kind, payload)
            await self._wait_for_room()
            return None
        if kind == "layout":
            self._take_layout(message.layout)
            return None
        return message

    def _take_spooled(self, message: AgentMessage, kind: str | None, payload: bytes) -> None:
        sequence = first = message.sequence
        if kind == "gap":
            if fault := gap_fault(message.gap, sequence):
                raise StreamEndedError(grpc.StatusCode.INVALID_ARGUMENT, fault)
            first = message.gap.first_sequence
        if sequence <= self._received:
            return  # a duplicate
        if first > self._received + 1:
            raise StreamEndedError(
                grpc.StatusCode.OUT_OF_RANGE, f"message {first} does not follow message {self._received}"
            )
        self._received = sequence
        now = time.time_ns()
        if kind == "frame":
            placed, fault = self._judge_frame(message.frame, now)
        elif kind == "run_event":
            placed, fault = self._judge_event(message.run_event, now)
        else:
            placed, fault = Placed(now, Placement.BY_ARRIVAL), ""
        self._inbox.add(Arrival(sequence, payload, message, placed.wall_ns, placed.placement, fault))
        self._writer.notify(self._inbox, len(payload))

    def _judge_frame(self, frame: Frame, now: int) -> tuple[Placed, str]:
        fault = frame_fault(frame, self._layouts, self._limits)
        if fault:
            self._health.bad_frames.inc()
            self._tell_fault(fault)
            return Placed(now, Placement.BY_ARRIVAL), fault
        start_ns, end_ns = frame.start_monotonic_ns + frame.slept_ns, frame.end_monotonic_ns + frame.slept_ns
        return self._clock.place(frame.boot_id, start_ns, end_ns, now), ""

    def _judge_event(self, event: RunEvent, now: int) -> tuple[Placed, str]:
        fault = event_fault(event)
        if fault:
            self._tell_fault(fault)
        elif event.HasField("started"):
            elapsed_ns = event.started.monotonic_ns + event.started.slept_ns
            return self._clock.place(event.started.boot_id, elapsed_ns, elapsed_ns, now), ""
        return Placed(now, Placement.BY_ARRIVAL), fault

    def _take_layout(self, layout: Layout) -> None:
        known = self._layouts.get(layout.layout)
        if known is not None:
            if known != layout:
                reason = f"layout {layout.layout} is described in two ways"
                raise StreamEndedError(grpc.StatusCode.INVALID_ARGUMENT, reason)
            return
        if len(self._layouts) >= MOST_LAYOUTS:
            raise StreamEndedError(grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {MOST_LAYOUTS} layouts")
        if fault := layout_fault(layout, self._limits):
            self._health.refusals.labels(RefusedThing.LAYOUT.value).inc()
            self._tell_fault(fault)  # the frames that use it will be marked
            return
        self._channel_count += len(layout.channels)
        self._description_bytes += layout.ByteSize()
        if self._channel_count > self._limits.channels_per_device:
            reason = f"more than {self._limits.channels_per_device} channels are described: begin anew"
            raise StreamEndedError(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
        if self._description_bytes > self._limits.description_bytes:
            reason = f"channels are described in more than {self._limits.description_bytes} bytes: begin anew"
            raise StreamEndedError(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
        self._layouts[layout.layout] = layout
        self._inbox.describe(layout)

    async def _wait_for_room(self) -> None:
        if (
            self._inbox.pending_bytes >= self._limits.pending_bytes_per_device
            or self._writer.pending_bytes >= self._limits.pending_bytes
        ):
            await self._inbox.empty()

    def _tell_fault(self, fault: str) -> None:
        """Log the first fault of a stream; the others are marked in the store and counted."""
        if not self._faulty:
            self._faulty = True
            _log.warning("%s sends what cannot be read: %s", self._inbox.device_id, fault)
