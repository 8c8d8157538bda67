"""How many processor cores do useful arithmetic."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def physical_cores(root: Path = Path("/")) -> int:
    """Cores without their hyperthreads, of the fast kind where there are two: llama-bench's default.

    Linux: the sets of siblings in ``/sys/devices/system/cpu/cpu*/topology/thread_siblings_list``, on an Intel
    processor of two kinds those of ``/sys/devices/cpu_core/cpus``. macOS: ``hw.perflevel0.physicalcpu``.
    """
    if sys.platform == "darwin":
        found = _sysctl(b"hw.perflevel0.physicalcpu") or _sysctl(b"hw.physicalcpu")
    else:
        found = _linux_cores(root)
    return found or os.cpu_count() or 1


def _linux_cores(root: Path) -> int:
    siblings = {}
    for path in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list"):
        siblings[int(path.parent.parent.name[3:])] = path.read_text().strip()
    fast = root / "sys/devices/cpu_core/cpus"
    if fast.exists():
        numbers = _cpu_list(fast.read_text())
        siblings = {number: text for number, text in siblings.items() if number in numbers}
    return len(set(siblings.values()))


def _cpu_list(text: str) -> set[int]:
    """Read the kernel's list of processors: ``0-3,8``."""
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def _sysctl(name: bytes) -> int:
    """An integer of macOS's sysctl(3); 0 when it has none of this name."""
    value = ctypes.c_int32(0)
    size = ctypes.c_size_t(ctypes.sizeof(value))
    libc = ctypes.CDLL(None)
    return value.value if libc.sysctlbyname(name, ctypes.byref(value), ctypes.byref(size), None, 0) == 0 else 0
