"""Ticks into frames."""

import logging
from collections.abc import Callable, Sequence

from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading, SampledFrame
from edgeprof_agent.sampling.cadence import Due
from edgeprof_agent.sampling.clock import Clock
from edgeprof_agent.sampling.cost import SamplingCost
from edgeprof_agent.sampling.frames import FrameBuilder
from edgeprof_agent.sampling.panel import Panel
from edgeprof_agent.sensors.sensor import Sensor

_LOG = logging.getLogger(__name__)


class Recorder:
    """Samples what it is told is due, and hands over each frame as it closes. One thread calls it."""

    def __init__(self, sensors: Sequence[Sensor], on_frame: Callable[[SampledFrame], None], clock: Clock) -> None:
        self._clock = clock
        self._on_frame = on_frame
        self._panel = Panel(sensors, clock)
        self._cost = SamplingCost(self._panel.guards)
        self._own: Sequence[Reading] = ()
        self._frame = FrameBuilder("", clock.monotonic_ns())

    def start(self) -> None:
        """Start the threads of the sensors that may block."""
        self._panel.start()

    def begin(self, run_id: str, block_ticks: int = 1) -> None:
        """Close the open frame, and begin one of this run; of none, if it is empty.

        Blocks with fewer than ``block_ticks`` ticks are held back for the next frame.
        """
        end_ns = self._close_frame(last=True)
        self._frame = FrameBuilder(run_id, end_ns, block_ticks)

    def tick(self, due: Due, now_ns: int) -> None:
        """Sample the tiers that are due, then close the frame if that is due."""
        self._cost.note(due)
        if due.fast:
            self._add(Tier.FAST, now_ns, self._panel.sample(Tier.FAST))
        if due.slow:
            slow = self._panel.sample(Tier.SLOW)
            self._own = self._cost.report(self._clock.monotonic_ns())
            self._add(Tier.SLOW, now_ns, [*slow, *self._own])
        if due.frame:
            self._close_frame()

    def flush(self) -> None:
        """Close the open frame now, with all that there is."""
        self._close_frame(last=True)

    def follow_process(self, pid: int | None) -> None:
        """Have the workload's sensors read this process. May be called from any thread."""
        self._panel.follow_process(pid)

    def latest(self) -> dict[Channel, float]:
        """Return the last values. May be called from any thread."""
        return {**self._panel.latest(), **dict(self._own)}

    def stop(self) -> None:
        """Stop the sensors and hand over what they gave last."""
        self._panel.stop()
        self._close_frame(last=True)

    def _add(self, tier: Tier, now_ns: int, readings: Sequence[Reading]) -> None:
        if readings:
            self._frame.add(tier.value, now_ns, readings)

    def _close_frame(self, *, last: bool = False) -> int:
        """Hand over the open frame, if there is anything in it, and return when it ended."""
        samples, end_ns = self._panel.fetch()
        for sensor, time_ns, readings in samples:
            self._frame.add(sensor, time_ns, readings)
        frame = self._frame.close(end_ns, last=last)
        if frame is not None:
            try:
                self._on_frame(frame)
            except Exception:  # noqa: BLE001  whoever could not take the frame, sampling goes on
                _LOG.exception("a frame was lost")
        return end_ns
