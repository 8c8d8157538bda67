"""macOS's system library: sysctl(3), states of notify(3), and the clock that drivers stamp their counters by."""

import ctypes
from pathlib import Path

from edgeprof_agent.sensors.apple.bindings import SYSTEM, SYSTEM_FUNCTIONS, TimebaseInfo
from edgeprof_agent.sensors.apple.c_library import load_library

_LONGEST_VALUE = 1024


class System:
    """Answers at once and asks nobody's permission."""

    def __init__(self, root: Path) -> None:
        """Load the library.

        Raises:
            LibraryMissingError: this is no Mac.
        """
        self._library = load_library(root, SYSTEM, SYSTEM_FUNCTIONS)
        timebase = TimebaseInfo()
        self._library.mach_timebase_info(ctypes.byref(timebase))
        self._numer, self._denom = int(timebase.numer), int(timebase.denom) or 1
        self._tokens: dict[str, int] = {}

    @property
    def task(self) -> int:
        """This process's own port, which connections to drivers are opened for."""
        return ctypes.c_uint32.in_dll(self._library, "mach_task_self_").value

    def text(self, name: str) -> str | None:
        """Return a string that sysctl(3) has under this name."""
        value = self._value(name)
        return value.partition(b"\0")[0].decode("utf-8", "replace").strip() or None if value else None

    def integer(self, name: str) -> int | None:
        """Return an integer that sysctl(3) has under this name, of four or eight bytes."""
        value = self._value(name)
        return int.from_bytes(value, "little", signed=True) if value and len(value) in (4, 8) else None

    def state(self, name: str) -> int | None:
        """Return the state that notify(3) keeps under this name. The name stays registered: that is the dear part."""
        if name not in self._tokens:
            token = ctypes.c_int()
            if self._library.notify_register_check(name.encode(), ctypes.byref(token)):
                return None
            self._tokens[name] = token.value
        state = ctypes.c_uint64()
        if self._library.notify_get_state(self._tokens[name], ctypes.byref(state)):
            self._library.notify_cancel(self._tokens.pop(name))
            return None
        return state.value

    def close(self) -> None:
        """Let go of the names that are registered. Asking for one registers it again."""
        while self._tokens:
            self._library.notify_cancel(self._tokens.popitem()[1])

    def now_ns(self) -> int:
        """Return the time that drivers stamp by: ``mach_absolute_time``, which stands still while the Mac sleeps."""
        ticks: int = self._library.mach_absolute_time()
        return self.ns_of_ticks(ticks)

    def ns_of_ticks(self, ticks: int) -> int:
        """Convert ticks of ``mach_absolute_time``: on Apple Silicon there are 24 in a microsecond."""
        return ticks * self._numer // self._denom

    def _value(self, name: str) -> bytes | None:
        buffer = ctypes.create_string_buffer(_LONGEST_VALUE)
        size = ctypes.c_size_t(_LONGEST_VALUE)
        failed = self._library.sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, 0)
        return None if failed else buffer.raw[: size.value]
