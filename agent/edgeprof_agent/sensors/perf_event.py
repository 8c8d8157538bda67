"""The kernel's performance counters: the system call perf_event_open(2), and nothing else."""

import ctypes
import os
import platform
from dataclasses import dataclass
from typing import NamedTuple, Protocol

# By machine, as the kernel's system call tables number it.
_CALL_NUMBERS = {"x86_64": 298, "aarch64": 241, "riscv64": 241}
_CLOSE_ON_EXEC = 8
_TOTAL_TIME_ENABLED, _TOTAL_TIME_RUNNING = 1, 2
_ANY_GROUP = -1


@dataclass(frozen=True, slots=True)
class PerfEvent:
    """What is counted: ``type`` is the number of the unit that counts, the rest is its to understand."""

    type: int
    config: int
    config1: int = 0
    config2: int = 0


class PerfCount(NamedTuple):
    """A counter's value, and for how long it was wanted and really counted: counters that are too many take turns."""

    value: int
    enabled_ns: int
    running_ns: int


class PerfCounter(Protocol):
    """A counter that counts from when it was opened."""

    def read(self) -> PerfCount:
        """Return what has been counted.

        Raises:
            OSError: the unit that counts is gone.
        """
        ...

    def close(self) -> None:
        """Stop counting."""
        ...


class _Attributes(ctypes.Structure):
    """``struct perf_event_attr`` as of PERF_ATTR_SIZE_VER1, which every kernel since 2.6.33 takes."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("config", ctypes.c_uint64),
        ("sample_period", ctypes.c_uint64),
        ("sample_type", ctypes.c_uint64),
        ("read_format", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
        ("wakeup_events", ctypes.c_uint32),
        ("bp_type", ctypes.c_uint32),
        ("config1", ctypes.c_uint64),
        ("config2", ctypes.c_uint64),
    )


class _Descriptor:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> PerfCount:
        content = os.read(self._descriptor, 24)
        return PerfCount(*memoryview(content).cast("Q"))

    def close(self) -> None:
        os.close(self._descriptor)


def open_counter(event: PerfEvent, cpu: int, pid: int = -1) -> PerfCounter:
    """Count an event on a CPU, or in a process (0: this one) on any (-1).

    Raises:
        OSError: refused (perf_event_paranoid, no CAP_PERFMON), or the kernel has no such event.
    """
    number = _CALL_NUMBERS.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        raise OSError(f"perf_event_open is not known on {platform.system()} {platform.machine()}")
    attributes = _Attributes(
        type=event.type,
        size=ctypes.sizeof(_Attributes),
        config=event.config,
        config1=event.config1,
        config2=event.config2,
        read_format=_TOTAL_TIME_ENABLED | _TOTAL_TIME_RUNNING,
    )
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    arguments = (ctypes.c_int(pid), ctypes.c_int(cpu), ctypes.c_int(_ANY_GROUP), ctypes.c_ulong(_CLOSE_ON_EXEC))
    descriptor: int = call(ctypes.c_long(number), ctypes.byref(attributes), *arguments)
    if descriptor < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return _Descriptor(descriptor)
