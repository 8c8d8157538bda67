"""Whether processes may have been born, at the price of one small file instead of a list of all processes."""

from pathlib import Path

from edgeprof_agent.sensors.kernel_file import KernelFile


class BirthWatch:
    """Compares the number that the kernel gave out last, to a process or a thread: the end of ``/proc/loadavg``.

    Source: proc(5). A number is given out a moment before its process is listed, so one more look is asked for after
    the number has come to rest.
    """

    def __init__(self, proc: Path) -> None:
        self._file = KernelFile(proc / "loadavg")
        self._before: tuple[bytes, bytes] = (b"", b"")

    def is_worth_a_look(self) -> bool:
        """Tell whether a process may have been born that no look since the one before last has shown."""
        try:
            newest = self._file.read(256).split()[-1:]
        except OSError:  # not every tree has the file
            newest = []
        if not newest:
            return True
        is_quiet = self._before == (newest[0], newest[0])
        self._before = (self._before[1], newest[0])
        return not is_quiet

    def close(self) -> None:
        """Close the file, and forget what was seen."""
        self._file.close()
        self._before = (b"", b"")
