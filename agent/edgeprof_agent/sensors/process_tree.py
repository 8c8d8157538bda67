"""A process and its descendants, as the sensors of the workload see them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from edgeprof_agent.sensors.kernel_file import KernelFile
from edgeprof_agent.sensors.memory import meminfo_bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time and resident memory of all processes of a tree together."""

    cpu_seconds: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class ResidentKinds:
    """Resident memory of a tree by kind, and the sum of its processes' high-water marks."""

    anonymous_bytes: int
    file_bytes: int
    peak_bytes: int


class ProcessTree(Protocol):
    """A process and its descendants."""

    source: str
    kinds_source: str

    def follow(self, pid: int | None) -> None:
        """Watch this process and its descendants from now on; none if ``pid`` is ``None``."""
        ...

    def refresh(self) -> None:
        """Find descendants that were born since the last look."""
        ...

    def usage(self) -> Usage | None:
        """Return what the living processes use; ``None`` if there are none."""
        ...

    def resident_kinds(self) -> ResidentKinds | None:
        """Return their memory by kind; ``None`` if there are none or the platform does not tell."""
        ...


class ProcTree:
    """By ``/proc``. Files of processes are kept open: one that belongs to a dead process never reads as another's."""

    source = "/proc/PID/stat"
    kinds_source = "/proc/PID/status"

    def __init__(self, proc: Path) -> None:
        self._proc = proc
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._processes: dict[int, _Process] = {}
        self._seen: set[str] = set()
        self._followed: int | None = None
        self._cpu_ticks = 0

    def follow(self, pid: int | None) -> None:
        """Watch this process and its descendants from now on."""
        if pid == self._followed:
            return
        for process in self._processes.values():
            process.close()
        self._processes = {} if pid is None else {pid: _Process(self._proc / str(pid))}
        self._followed, self._seen, self._cpu_ticks = pid, set(), 0
        self.refresh()

    def refresh(self) -> None:
        """Find descendants by the parents of the processes that are new since the last look."""
        if not self._processes:
            return
        there = {name for name in os.listdir(self._proc) if name.isdigit()}  # noqa: PTH208  a Path per name is slow
        parents = {int(name): parent for name in there - self._seen if (parent := _parent_of(self._proc / name))}
        self._seen = there
        family = _descendants(self._processes, parents)
        self._processes.update({pid: _Process(self._proc / str(pid)) for pid in family})

    def usage(self) -> Usage | None:
        """Sum CPU ticks, those of children that were waited for included, and resident pages."""
        ticks = pages = 0
        alive = False
        for pid, process in list(self._processes.items()):
            try:
                fields = process.stat_fields()
            except OSError:  # the process is gone; its parent has taken over its CPU time
                self._processes.pop(pid).close()
                continue
            # proc(5), counted from the state, which is field 3: 14 to 17 are CPU times, 24 is the resident set
            ticks += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
            if fields[0] not in b"ZX":
                alive = True
                pages += int(fields[21])
        if not alive:
            return None
        # a child that nobody waited for takes its time with it: the total must not fall
        self._cpu_ticks = max(self._cpu_ticks, ticks)
        return Usage(self._cpu_ticks / self._ticks_per_second, pages * self._page_bytes)

    def resident_kinds(self) -> ResidentKinds | None:
        """Sum ``RssAnon``, ``RssFile`` and ``VmHWM``."""
        kinds = [kinds for process in self._processes.values() if (kinds := process.resident_kinds())]
        if not kinds:
            return None
        return ResidentKinds(*(sum(column) for column in zip(*kinds, strict=True)))


class _Process:
    """The open files of one process."""

    def __init__(self, folder: Path) -> None:
        self._stat = KernelFile(folder / "stat")
        self._status = KernelFile(folder / "status")

    def stat_fields(self) -> list[bytes]:
        """Return the fields behind the command's name, which may itself hold blanks and brackets."""
        return self._stat.read(4096).rpartition(b")")[2].split()

    def resident_kinds(self) -> tuple[int, int, int] | None:
        """Return anonymous, file-backed and peak bytes; ``None`` for a process without memory of its own."""
        try:
            status = self._status.read(8192)
        except OSError:  # the process is gone
            return None
        kinds = tuple(meminfo_bytes(status, key) for key in (b"RssAnon:", b"RssFile:", b"VmHWM:"))
        anonymous, file, peak = kinds
        if anonymous is None or file is None or peak is None:
            return None
        return anonymous, file, peak

    def close(self) -> None:
        self._stat.close()
        self._status.close()


class PsutilTree:
    """By psutil, for platforms without ``/proc``. They do not tell memory by kind."""

    source = "psutil.Process"
    kinds_source = "psutil.Process"

    def __init__(self) -> None:
        self._root: psutil.Process | None = None
        self._processes: list[psutil.Process] = []
        self._cpu_seconds = 0.0

    def follow(self, pid: int | None) -> None:
        """Watch this process and its descendants from now on."""
        if pid == (self._root.pid if self._root else None):
            return
        self._cpu_seconds = 0.0
        try:
            self._root = None if pid is None else psutil.Process(pid)
        except psutil.NoSuchProcess:  # it ended before it could be watched
            self._root = None
        self.refresh()

    def refresh(self) -> None:
        """Find the descendants again."""
        try:
            self._processes = [] if self._root is None else [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:  # it has ended, and its children with it or on their own
            self._processes = []

    def usage(self) -> Usage | None:
        """Sum CPU time and resident memory."""
        found = [usage for process in self._processes if (usage := _psutil_usage(process))]
        if not found:
            return None
        self._cpu_seconds = max(self._cpu_seconds, sum(seconds for seconds, _ in found))
        return Usage(self._cpu_seconds, sum(resident for _, resident in found))

    def resident_kinds(self) -> ResidentKinds | None:
        """Return nothing: the platform does not tell."""
        return None


def _psutil_usage(process: psutil.Process) -> tuple[float, int] | None:
    try:
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return sum(process.cpu_times()[:4]), process.memory_info().rss
    except psutil.Error:  # it has ended
        return None


def _parent_of(folder: Path) -> int | None:
    try:
        with (folder / "stat").open("rb") as file:
            return int(file.read(4096).rpartition(b")")[2].split()[1])
    except OSError:  # it has ended since the folder was listed
        return None


def _descendants(known: Iterable[int], parents: dict[int, int]) -> set[int]:
    """Return those of ``parents``'s keys whose line of parents leads to one of ``known``."""
    family = set(known)
    found: set[int] = set()
    while born := {pid for pid, parent in parents.items() if parent in family and pid not in family}:
        family |= born
        found |= born
    return found
