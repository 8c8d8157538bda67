"""The CPU time of another process and its descendants, to the nanosecond."""

import ctypes
import time

import psutil

_LIBC = ctypes.CDLL(None, use_errno=True)


class TreeClock:
    """Reads what a process and its descendants have used.

    ``/proc/PID/stat`` counts in hundredths of a second, too coarse for programs that use a few milliseconds; the
    process's CPU clock (clock_getcpuclockid(3)) has the time of all threads, also of those that have ended.
    """

    def __init__(self, pid: int) -> None:
        self._pids = _tree(pid)
        self._clocks = [_clock_of(pid) for pid in self._pids]
        self._root = pid

    def cpu_seconds(self) -> float:
        """Return the time used so far by all processes.

        Raises:
            RuntimeError: one was born or has died: its time would be missing.
        """
        if _tree(self._root) != self._pids:
            raise RuntimeError(f"processes of {self._root} came or went")
        return sum(time.clock_gettime_ns(clock) for clock in self._clocks) / 1e9

    def resident_bytes(self) -> int:
        """Return the resident memory of all processes; pages that they share are counted in each."""
        return sum(psutil.Process(pid).memory_info().rss for pid in self._pids)


def cpu_seconds(process: psutil.Process) -> float:
    """Return user and system time of all threads of a process; the kernel counts it in hundredths of a second."""
    times = process.cpu_times()
    return times.user + times.system


def _tree(pid: int) -> list[int]:
    return [pid, *sorted(child.pid for child in psutil.Process(pid).children(recursive=True))]


def _clock_of(pid: int) -> int:
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise ProcessLookupError(error, f"process {pid} has no CPU clock")
    return clock.value
