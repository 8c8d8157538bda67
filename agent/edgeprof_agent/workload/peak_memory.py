"""The high-water mark of a process's resident memory."""

import sys
from pathlib import Path

import psutil


class PeakMemory:
    """The largest resident memory of a run's engine processes, each by itself.

    Read again and again, so that it is known of a process that was killed.
    """

    def __init__(self) -> None:
        self._bytes: int | None = None

    @property
    def bytes(self) -> int | None:
        """The largest so far; ``None`` before the first reading."""
        return self._bytes

    def read(self, pid: int | None) -> None:
        """Read the mark of a process, if there is one and it is still running."""
        found = _resident_peak_bytes(pid) if pid else None
        if found is not None:
            self._bytes = max(found, self._bytes or 0)


def _resident_peak_bytes(pid: int) -> int | None:
    """``VmHWM`` of ``/proc/PID/status``. Where the kernel tells no mark of another process: what is resident now."""
    if sys.platform == "linux":
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            return None  # it has ended
        kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), None)
        return int(kib) * 1024 if kib else None  # an ended process that nobody has reaped has no memory
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return None  # it has ended
