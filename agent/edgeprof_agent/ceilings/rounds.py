"""Timed rounds of memory kernels on several threads."""

import mmap
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import addressof, c_char
from dataclasses import dataclass
from itertools import cycle

from edgeprof_agent.ceilings.kernels import Kernel, fill

_ROUND_SECONDS = 0.04
# Every kernel gets as many rounds: a burst of other work spoils a round of each, not all rounds of one.
_LEAST_SWEEPS = 2
# A thread works through its slice in pieces, so that all threads end together to within a piece.
_PIECES = 4


@dataclass(frozen=True, slots=True)
class Rate:
    """What a kernel reached on so many threads."""

    kernel: str
    threads: int
    bytes_per_second: float


def fastest(kernels: Sequence[Kernel], thread_counts: Sequence[int], address: int, size: int, seconds: float) -> Rate:
    """Return the best of short rounds of every kernel on every count of threads, over about ``seconds``.

    Args:
        kernels: what is timed.
        thread_counts: on how many threads at once.
        address: a buffer that has been written to.
        size: its bytes, shared out among the threads.
        seconds: for all rounds together; two sweeps of them are done even if they take longer.
    """
    end = time.perf_counter() + seconds
    rates: list[Rate] = []
    sweeps = 0
    while sweeps < _LEAST_SWEEPS or time.perf_counter() < end:
        for threads in thread_counts:
            rates += [Rate(kernel.name, threads, _round(kernel, address, size, threads)) for kernel in kernels]
        sweeps += 1
    return max(rates, key=lambda rate: rate.bytes_per_second)


@contextmanager
def filled_buffer(size: int, threads: int) -> Iterator[int]:
    """Yield the address of so many bytes of memory, in large pages if any, all written to by so many threads."""
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        if hasattr(mmap, "MADV_HUGEPAGE"):
            memory.madvise(mmap.MADV_HUGEPAGE)
        first = c_char.from_buffer(memory)
        try:
            with ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(lambda part: fill(*part), _slices(addressof(first), size, threads)):
                    pass
            yield addressof(first)
        finally:
            del first  # a mapping that is still pointed to cannot be closed


def _round(kernel: Kernel, address: int, size: int, threads: int) -> float:
    """Return the bytes per second of all threads together, from their common start to the last one's end."""
    barrier = threading.Barrier(threads)

    def work(part: tuple[int, int]) -> tuple[float, float, int]:
        pieces = cycle(_slices(*part, _PIECES))
        moved = 0
        barrier.wait()
        begin = now = time.perf_counter()
        while now < begin + _ROUND_SECONDS:
            piece_address, piece_size = next(pieces)
            kernel.run(piece_address, piece_size)
            moved += kernel.bytes_moved(piece_size)
            now = time.perf_counter()
        return begin, now, moved

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(work, _slices(address, size, threads)))
    moved = sum(moved for _, _, moved in results)
    return moved / (max(end for _, end, _ in results) - min(begin for begin, _, _ in results))


def _slices(address: int, size: int, count: int) -> list[tuple[int, int]]:
    """Share a buffer out, in whole pages of 16 KiB; the last part takes the rest."""
    share = size // count // 16384 * 16384
    sizes = [share] * (count - 1) + [size - share * (count - 1)]
    return [(address + index * share, part) for index, part in enumerate(sizes)]
