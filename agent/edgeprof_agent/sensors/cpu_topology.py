"""The make-up of the CPU: its model, cores and last-level cache."""

import os
import re
from pathlib import Path

import psutil

from edgeprof_agent.sensors.kernel_file import read_int, read_text

_SUFFIXES = {"": 1, "K": 1024, "M": 1024**2}


def cpu_model(root: Path) -> str | None:
    """Return the name in ``/proc/cpuinfo``. The kernel has none for most ARM cores."""
    match = re.search(r"^model name\s*:\s*(.+)$", read_text(root / "proc/cpuinfo") or "", re.MULTILINE)
    return match[1].strip() if match else None


def logical_cores(root: Path) -> int:
    """Count the cores that run programs."""
    return len(_core_folders(root)) or os.cpu_count() or 1


def physical_cores(root: Path) -> int | None:
    """Count cores without their second threads; ``None`` if the kernel does not tell."""
    folders = _core_folders(root)
    if not folders:
        return psutil.cpu_count(logical=False) if root == Path("/") else None
    cores = {
        (read_int(folder / "topology/physical_package_id"), read_int(folder / "topology/core_id")) for folder in folders
    }
    return None if any(core_id is None for _, core_id in cores) else len(cores)


def last_level_cache_bytes(root: Path) -> int | None:
    """Add up the caches of the highest level, each counted once however many cores share it."""
    caches: dict[tuple[int, str], int] = {}
    for folder in root.glob("sys/devices/system/cpu/cpu[0-9]*/cache/index[0-9]*"):
        level = read_int(folder / "level")
        shared = read_text(folder / "shared_cpu_list")
        size = re.fullmatch(r"(\d+)([KM]?)", read_text(folder / "size") or "")
        if level is not None and shared and size and read_text(folder / "type") != "Instruction":
            caches[level, shared] = int(size[1]) * _SUFFIXES[size[2]]
    if not caches:
        return None
    highest = max(level for level, _ in caches)
    return sum(size_bytes for (level, _), size_bytes in caches.items() if level == highest)


def governor(root: Path) -> str | None:
    """Name the frequency governor; several, in order, if the cores differ; ``None`` if clocks are not scaled."""
    found = {read_text(path) for path in root.glob("sys/devices/system/cpu/cpufreq/policy[0-9]*/scaling_governor")}
    return ", ".join(sorted(name for name in found if name)) or None


def clock_limits_hertz(root: Path) -> dict[str, float]:
    """Return the highest clocks allowed: of ``cpu``, or of each set of cores such as ``cpu 0-3`` if they differ.

    Source: cpufreq's ``scaling_max_freq``, in kHz.
    """
    cores_by_limit: dict[float, list[int]] = {}
    for folder in root.glob("sys/devices/system/cpu/cpufreq/policy[0-9]*"):
        limit_khz = read_int(folder / "scaling_max_freq")
        cores = [int(core) for core in (read_text(folder / "affected_cpus") or "").split() if core.isdecimal()]
        if limit_khz and cores:
            cores_by_limit.setdefault(limit_khz * 1000.0, []).extend(cores)
    if len(cores_by_limit) == 1:
        return dict.fromkeys(("cpu",), *cores_by_limit)
    return {f"cpu {_ranges(sorted(cores))}": limit for limit, cores in cores_by_limit.items()}


def _ranges(numbers: list[int]) -> str:
    """Write ascending numbers as the kernel does: ``0-3,8``."""
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    pairs = zip(starts, ends, strict=True)
    return ",".join(str(start) if start == end else f"{start}-{end}" for start, end in pairs)


def _core_folders(root: Path) -> list[Path]:
    """The folders of the cores that are online: only those have a topology."""
    return [path.parent for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/topology")]
