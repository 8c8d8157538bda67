"""Kernels that read or copy memory as fast as a core can: functions of the C library, called through ctypes.

They are there on every device, use its vector instructions, and ctypes releases the interpreter's lock while they
run, so Python threads run them side by side.
"""

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Every byte of a buffer is FILL; no byte of it is ABSENT, so that a search for it reads everything.
FILL = 1
ABSENT = 2

# Two streams that start a power of two apart fall into the same sets of a cache and the same banks of memory: on a
# Zen 4 core memcmp reads 24 GB/s so, and 35 GB/s with the second stream a few pages further on.
_STREAM_GAP_BYTES = 3 * 4096 + 256


@dataclass(frozen=True, slots=True)
class Kernel:
    """``run(address, size)`` works through a buffer once; ``bytes_moved(size)`` are the bytes read and written."""

    name: str
    run: Callable[[int, int], object]
    bytes_moved: Callable[[int], int]


def read_kernels() -> tuple[Kernel, ...]:
    """Kernels that only read.

    ``memchr`` searches forwards for a byte that is not there: one stream. ``memrchr``, where the C library has it,
    does so backwards, which some prefetchers follow better. ``memcmp`` compares two equal halves: two streams,
    which keep more reads under way at once.
    """
    return tuple(_read_kernels(ctypes.CDLL(None)))


def copy_kernels() -> tuple[Kernel, ...]:
    """Kernels that read and write, both counted.

    ``memcpy`` copies one half to the other. Where it writes past the cache (x86), the bytes counted are those that
    move; where it does not, the memory also reads every line before it is overwritten, uncounted. ``memmove``
    moves a buffer by one page within itself: it writes lines that it has just read, so nothing is read uncounted.
    """
    libc = ctypes.CDLL(None)
    copy, move = _function(libc, "memcpy"), _function(libc, "memmove")

    def copy_half(address: int, size: int) -> None:
        half = _half(size)
        copy(address, address + size - half, half)

    def move_by_a_page(address: int, size: int) -> None:
        move(address, address + 4096, size - 4096)

    return (
        Kernel("memcpy", copy_half, lambda size: 2 * _half(size)),
        Kernel("memmove", move_by_a_page, lambda size: 2 * (size - 4096)),
    )


def fill(address: int, size: int) -> None:
    """Write every byte of a buffer, so that it has memory of its own: untouched pages all read as one page of zeros."""
    ctypes.memset(address, FILL, size)


def _read_kernels(libc: ctypes.CDLL) -> Iterator[Kernel]:
    for name in ("memchr", "memrchr"):
        if hasattr(libc, name):
            yield Kernel(name, _search(_function(libc, name, ctypes.c_int)), lambda size: size)
    compare = _function(libc, "memcmp")

    def compare_halves(address: int, size: int) -> None:
        half = _half(size)
        compare(address, address + size - half, half)

    yield Kernel("memcmp", compare_halves, lambda size: 2 * _half(size))


def _search(search: Callable[..., object]) -> Callable[[int, int], object]:
    return lambda address, size: search(address, ABSENT, size)


def _function(libc: ctypes.CDLL, name: str, second: type = ctypes.c_void_p) -> Callable[..., object]:
    function: Callable[..., object] = getattr(libc, name)
    function.argtypes = (ctypes.c_void_p, second, ctypes.c_size_t)  # type: ignore[attr-defined]  # a ctypes function
    function.restype = ctypes.c_void_p  # type: ignore[attr-defined]  # a ctypes function
    return function


def _half(size: int) -> int:
    return (size - _STREAM_GAP_BYTES) // 2
