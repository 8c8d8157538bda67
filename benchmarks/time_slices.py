"""Programs that run in turn, each standing still while the other runs."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

SLICE_SECONDS = 0.05


class StoppableProgram:
    """A program that is stopped and let go on, and the times for which it stood still. Threads may share it.

    Args:
        pids: its process, or processes that work for one another and stand still together.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._lock = threading.Lock()
        self._pauses_ns: list[tuple[int, int]] = []
        self._stopped_ns = 0
        self._held = False

    def stop(self) -> None:
        """Have it stand still; nothing happens if it does."""
        with self._lock:
            self._stop()

    def hold(self) -> None:
        """Have it stand still until :meth:`release`, whatever its turn."""
        with self._lock:
            self._held = True
            self._stop()

    def release(self) -> None:
        """Let it have its turn again."""
        with self._lock:
            self._held = False

    def go_on(self) -> None:
        """Let it run; nothing happens if it does, or is held."""
        with self._lock:
            if self._stopped_ns and not self._held:
                self._pauses_ns.append((self._stopped_ns, time.monotonic_ns()))
                self._stopped_ns = 0
                self._send(signal.SIGCONT)

    def paused_ns(self, start_ns: int, end_ns: int) -> int:
        """Return for how long it stood still between two times."""
        return sum(max(0, min(end, end_ns) - max(start, start_ns)) for start, end in self._pauses_ns)

    def _stop(self) -> None:
        if not self._stopped_ns:
            self._send(signal.SIGSTOP)
            self._stopped_ns = time.monotonic_ns()

    def _send(self, number: signal.Signals) -> None:
        for pid in self._pids:
            os.kill(pid, number)


@contextmanager
def in_turn(processes: Sequence[StoppableProgram], first: int) -> Iterator[None]:
    """Let the processes run in slices of time, one after the other, until the end of the block."""
    over = threading.Event()

    def alternate() -> None:
        running = first
        while True:
            processes[running].go_on()
            if over.wait(SLICE_SECONDS):
                return
            processes[running].stop()
            running = (running + 1) % len(processes)

    for process in processes:
        process.stop()
        process.release()
    alternation = threading.Thread(target=alternate)
    alternation.start()
    try:
        yield
    finally:
        over.set()
        alternation.join()
        for process in processes:
            process.go_on()
