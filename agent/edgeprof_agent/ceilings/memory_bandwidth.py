"""Peak memory bandwidth of the CPU, measured in a few seconds by a short-lived process."""

import asyncio
import sys
from dataclasses import dataclass

import msgspec
import psutil

from edgeprof.device import DeviceFacts
from edgeprof.errors import EdgeprofError

_SECONDS = 1.6
_DEADLINE_SECONDS = 60.0
# Buffers of this many times the last-level cache leave little of themselves in it from one pass to the next.
_CACHE_MULTIPLE = 4
# A virtual machine often sees less cache than its host has, and some devices tell none.
_LEAST_BYTES = 512 << 20


class CeilingUnavailableError(EdgeprofError):
    """Memory bandwidth could not be measured. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBandwidth:
    """The fastest read and the fastest copy kernel, on how many threads, and what they reached.

    ``copy_bytes_per_second`` counts the bytes read and the bytes written.
    """

    read_kernel: str
    read_threads: int
    read_bytes_per_second: float
    copy_kernel: str
    copy_threads: int
    copy_bytes_per_second: float


async def measure_memory_bandwidth(facts: DeviceFacts, *, seconds: float = _SECONDS) -> MemoryBandwidth:
    """Measure the read and copy bandwidth of the CPU's memory.

    Args:
        facts: the device, for its cores and its cache.
        seconds: of measuring, after the buffer has been filled.

    Raises:
        CeilingUnavailableError: too little memory is free, or the measuring process failed.
    """
    threads = thread_counts(facts.physical_cores, facts.logical_cores)
    size = buffer_bytes(facts.last_level_cache_bytes, psutil.virtual_memory().available)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edgeprof_agent.ceilings"),
        *("--bytes", str(size), "--seconds", str(seconds), "--threads", *map(str, threads)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), _DEADLINE_SECONDS + seconds)
    except asyncio.TimeoutError as error:
        raise CeilingUnavailableError("memory bandwidth could not be measured in time: is the machine busy?") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last_line = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise CeilingUnavailableError(f"measuring memory bandwidth failed (exit {process.returncode}): {last_line}")
    return msgspec.json.decode(output, type=MemoryBandwidth)


def thread_counts(physical_cores: int | None, logical_cores: int) -> tuple[int, ...]:
    """Counts of threads worth trying: the powers of two, all physical cores, all logical ones."""
    powers = (1 << exponent for exponent in range(logical_cores.bit_length()))
    counts = {*powers, physical_cores or logical_cores, logical_cores}
    return tuple(sorted(count for count in counts if count <= logical_cores))


def buffer_bytes(last_level_cache_bytes: int | None, memory_available_bytes: int) -> int:
    """Bytes of a buffer far beyond the cache, in no more than a quarter of the available memory.

    Raises:
        CeilingUnavailableError: that quarter is not far beyond the cache.
    """
    needed = _CACHE_MULTIPLE * (last_level_cache_bytes or 0)
    allowed = memory_available_bytes // 4
    if allowed < max(needed, 64 << 20):
        raise CeilingUnavailableError(
            f"memory bandwidth is not measured: {memory_available_bytes >> 20} MiB of memory are available, "
            f"{4 * max(needed, 64 << 20) >> 20} MiB needed"
        )
    return min(max(needed, _LEAST_BYTES), allowed)
