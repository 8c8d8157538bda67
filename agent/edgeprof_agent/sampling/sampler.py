"""The thread that samples."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from edgeprof.telemetry import Channel, SampledFrame
from edgeprof_agent.sampling.cadence import IDLE, Cadence, Schedule
from edgeprof_agent.sampling.clock import Clock, MonotonicClock
from edgeprof_agent.sampling.recorder import Recorder
from edgeprof_agent.sensors.sensor import Sensor


class Sampler:
    """Samples the sensors at a cadence and hands over frames, on a thread of its own.

    ``on_frame`` is called on that thread: it must be quick, and must call nothing of the sampler. Its methods may be
    called from any other thread. It closes its clock when it stops.
    """

    def __init__(
        self,
        sensors: Sequence[Sensor],
        on_frame: Callable[[SampledFrame], None],
        cadence: Cadence = IDLE,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or MonotonicClock()
        self._recorder = Recorder(sensors, on_frame, self._clock)
        self._commands: deque[Callable[[], None]] = deque()
        self._schedule = Schedule(cadence, self._clock.monotonic_ns())
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.set_cadence(cadence)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Hand over the last frame, close the sensors and end the thread. It cannot be started again."""
        self._stopping = True
        self._clock.wake()
        self._thread.join()
        self._clock.close()

    def set_cadence(self, cadence: Cadence) -> None:
        """Sample at this cadence from now on; the open frame is closed first."""
        self._command(lambda: self._begin(cadence))

    def follow_process(self, pid: int | None) -> None:
        """Have the workload's sensors read this process and its descendants from the next tick on."""
        self._recorder.follow_process(pid)

    def latest(self) -> Mapping[Channel, float]:
        """Return the last value of each channel; those of a sensor that fails or hangs are left out."""
        return self._recorder.latest()

    def overdue_seconds(self) -> float:
        """Return how long ago the next tick should have been; 0 while it is still to come."""
        return max(0, self._clock.monotonic_ns() - self._schedule.next_ns()) / 1e9

    def flush(self) -> None:
        """Close the open frame, and return when it has been handed over."""
        done = threading.Event()
        self._command(self._recorder.flush)
        self._command(done.set)
        while self._thread.is_alive() and not done.wait(0.1):
            pass

    def _command(self, command: Callable[[], None]) -> None:
        """Have the sampler's thread do this between two ticks."""
        self._commands.append(command)
        self._clock.wake()

    def _begin(self, cadence: Cadence) -> None:
        self._recorder.begin(cadence.run_id, cadence.block_ticks)
        self._schedule = Schedule(cadence, self._clock.monotonic_ns())

    def _run(self) -> None:
        self._recorder.start()
        while not self._stopping:
            while self._commands:
                self._commands.popleft()()
            now_ns = self._clock.monotonic_ns()
            self._recorder.tick(self._schedule.take(now_ns), now_ns)
            self._clock.wait_until(self._schedule.next_ns())
        self._recorder.stop()
