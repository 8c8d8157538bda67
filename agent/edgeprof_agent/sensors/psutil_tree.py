"""A process and its descendants by psutil."""

import psutil

from edgeprof_agent.sensors.process_tree import ResidentKinds, Usage


class PsutilTree:
    """For platforms without ``/proc``. They do not tell memory by kind."""

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
