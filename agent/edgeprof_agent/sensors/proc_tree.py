"""A process and its descendants by /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

from edgeprof_agent.sensors.birth_watch import BirthWatch
from edgeprof_agent.sensors.kernel_file import KernelFile, bytes_behind
from edgeprof_agent.sensors.process_tree import ResidentKinds, Usage


class ProcTree:
    """Files of processes are kept open: one that belongs to a dead process never reads as another's."""

    source = "/proc/PID/stat"
    kinds_source = "/proc/PID/status"

    def __init__(self, proc: Path) -> None:
        self._proc = proc
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._births = BirthWatch(proc)
        self._processes: dict[int, _Process] = {}
        self._seen: set[str] = set()
        self._followed: int | None = None
        self._cpu_ticks = self._major_faults = 0

    def follow(self, pid: int | None) -> None:
        """Watch this process and its descendants from now on."""
        if pid == self._followed:
            return
        for process in self._processes.values():
            process.close()
        self._births.close()
        self._processes = {} if pid is None else {pid: _Process(self._proc / str(pid))}
        self._followed, self._seen = pid, set()
        self._cpu_ticks = self._major_faults = 0
        self.refresh()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that are known now."""
        return tuple(self._processes)

    def refresh(self) -> None:
        """Find descendants by the parents of the processes that are new since the last look."""
        if not self._processes or not self._births.is_worth_a_look():
            return
        there = {name for name in os.listdir(self._proc) if name.isdigit()}  # noqa: PTH208  a Path per name is slow
        parents = {int(name): parent for name in there - self._seen if (parent := _parent_of(self._proc / name))}
        self._seen = there
        family = _descendants(self._processes, parents)
        self._processes.update({pid: _Process(self._proc / str(pid)) for pid in family})

    def usage(self) -> Usage | None:
        """Sum CPU ticks and major faults, those of children that were waited for included, and resident pages."""
        ticks = faults = pages = 0
        alive = False
        for pid, process in list(self._processes.items()):
            try:
                fields = process.stat_fields()
            except OSError:  # the process is gone; its parent has taken over its CPU time
                self._processes.pop(pid).close()
                continue
            # proc(5), counted from the state, which is field 3: 12 and 13 are major faults, 14 to 17 CPU times, 24 is
            # the resident set
            faults += int(fields[9]) + int(fields[10])
            ticks += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
            if fields[0] not in b"ZX":
                alive = True
                pages += int(fields[21])
        if not alive:
            return None
        # a child that nobody waited for takes its time and faults with it: the totals must not fall
        self._cpu_ticks = max(self._cpu_ticks, ticks)
        self._major_faults = max(self._major_faults, faults)
        return Usage(self._cpu_ticks / self._ticks_per_second, pages * self._page_bytes, self._major_faults)

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
        kinds = tuple(bytes_behind(status, key) for key in (b"RssAnon:", b"RssFile:", b"VmHWM:"))
        anonymous, file, peak = kinds
        if anonymous is None or file is None or peak is None:
            return None
        return anonymous, file, peak

    def close(self) -> None:
        self._stat.close()
        self._status.close()


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
