"""The high-water mark of a process's resident memory."""

import sys
from pathlib import Path

import psutil


class PeakMemory:
    """The largest resident memory of a run's engine processes, each with its descendants.

    Read again and again, so that it is known of a process that was killed. The marks of a process and of its
    descendants are added up, though they need not be of one moment: a server may have its model in a process below it.
    """

    def __init__(self) -> None:
        self._bytes: int | None = None

    @property
    def bytes(self) -> int | None:
        """The largest so far; ``None`` before the first reading."""
        return self._bytes

    def read(self, pid: int | None) -> None:
        """Read the mark of a process, if there is one and it is still running."""
        if not pid:
            return
        marks = [mark for member in _family(pid) if (mark := _resident_peak_bytes(member)) is not None]
        if marks:
            self._bytes = max(sum(marks), self._bytes or 0)


class VariantPeaks:
    """The largest resident memory of processes that have loaded one variant, and no other."""

    def __init__(self) -> None:
        self._variants_of: dict[int, set[int]] = {}

    def note(self, pid: int | None, variant: int) -> None:
        """A process has loaded a variant."""
        if pid is not None:
            self._variants_of.setdefault(pid, set()).add(variant)

    def read(self, pid: int | None, variant: int) -> int | None:
        """The mark of a variant's process and of its descendants; ``None`` if it has loaded others as well."""
        if pid is None or self._variants_of.get(pid) != {variant}:
            return None
        peak = PeakMemory()
        peak.read(pid)
        return peak.bytes


def _family(pid: int) -> list[int]:
    """A process and its descendants, by ``/proc/PID/task/TID/children`` where the kernel has it."""
    if sys.platform != "linux":
        try:
            return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
        except psutil.Error:
            return [pid]  # it has ended
    family = [pid]
    for member in family:
        family += _children(member)
    return family


def _children(pid: int) -> list[int]:
    try:
        lists = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has ended, or one of its threads has
        return []
    return [int(child) for text in lists for child in text.split()]


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
