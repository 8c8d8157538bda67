"""The spool as the agent's event loop uses it: what is added wakes the sender, and is written in time."""

import asyncio
import logging
from collections import deque

from edgeprof.messages import run_event_to_message
from edgeprof.run import RunEvent
from edgeprof.telemetry import SampledFrame, encode_frame
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_agent.uplink.clocks import Clocks
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool
from edgeprof_agent.uplink.status import SpoolStatus

_log = logging.getLogger(__name__)

# How long a message may wait in memory. Idle telemetry alone is written seldom, to spare the device's flash.
_RUN_SECONDS = 1.0
_IDLE_SECONDS = 60.0


class Outbox:
    """Adds to the spool and has it written in groups. Belongs to the running event loop.

    Attributes:
        wake: set whenever there may be something to send.
    """

    def __init__(self, spool: Spool, clocks: Clocks) -> None:
        self.spool = spool
        self.clocks = clocks
        self.wake = asyncio.Event()
        self._status = spool.status()
        self._loop = asyncio.get_running_loop()
        self._handed_over: deque[SampledFrame] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._unwritable = False
        if spool.dirty:
            self._write_within(_RUN_SECONDS)

    def hand_over(self, frame: SampledFrame) -> None:
        """Add telemetry, from any thread."""
        self._handed_over.append(frame)
        self._loop.call_soon_threadsafe(self._take_frames)

    def status(self) -> SpoolStatus:
        """Return how the spool stood when something was last added or acknowledged, from any thread."""
        return self._status

    def put_event(self, event: RunEvent) -> None:
        """Add an event of a run, after the telemetry that has been handed over by now."""
        self._take_frames()
        self._put(AgentMessage(run_event=run_event_to_message(event)), Priority.RUN_EVENT, _RUN_SECONDS)

    def acknowledge(self, sequence: int) -> None:
        """The collector has everything up to ``sequence``."""
        self.spool.acknowledge(sequence)
        self._status = self.spool.status()
        if self.spool.dirty:
            self._write_within(_IDLE_SECONDS)
        else:
            self._stop_timer()  # a wake for nothing would cost the device, a run's timing most of all
        self.wake.set()

    def write_now(self) -> None:
        """Write everything that waits in memory."""
        self._take_frames()
        self._stop_timer()
        self.spool.flush(force=True)

    def _take_frames(self) -> None:
        slept_ns = self.clocks.look().slept_ns if self._handed_over else 0
        while self._handed_over:
            frame = self._handed_over.popleft()
            packed = encode_frame(frame, self.clocks.boot_id, self.spool.layout_number, slept_ns=slept_ns)
            message = AgentMessage(frame=packed)
            if frame.run_id:
                self._put(message, Priority.RUN_TELEMETRY, _RUN_SECONDS)
            else:
                self._put(message, Priority.IDLE_TELEMETRY, _IDLE_SECONDS)

    def _put(self, message: AgentMessage, priority: Priority, write_within_seconds: float) -> None:
        self.spool.append(message, priority)
        self._status = self.spool.status()
        self._write_within(write_within_seconds)
        self.wake.set()

    def _write_within(self, seconds: float) -> None:
        due = self._loop.time() + seconds
        if self._timer and self._timer.when() <= due:
            return
        self._stop_timer()
        self._timer = self._loop.call_at(due, self._write)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _write(self) -> None:
        self._timer = None
        if not self.spool.flush():
            self._write_within(_IDLE_SECONDS)
        if self.spool.failure and not self._unwritable:
            _log.warning("the spool cannot be written: %s; free space on its disk", self.spool.failure)
        elif self._unwritable and not self.spool.failure:
            _log.info("the spool can be written again")
        self._unwritable = self.spool.failure is not None
