"""How much of a file is in memory already."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from pathlib import Path

_WINDOW_BYTES = 256 * 1024 * 1024
# The lowest bit of each byte that mincore(2) writes says that the page is resident; the others are the system's.
_LOWEST_BIT = bytes(value & 1 for value in range(256))


def page_cache_ratio(model: Path) -> float | None:
    """Share of a model's pages that are in the page cache, by mincore(2); ``None`` where the kernel does not tell.

    The model is a file, or a folder with its weights in ``*.safetensors``. Linux calls every page of a file resident
    that the caller could not write to, so such a file has no answer.

    Raises:
        OSError: a file cannot be read.
    """
    files = sorted(model.glob("*.safetensors")) if model.is_dir() else [model]
    counted = [_resident_and_all_pages(path) for path in files]
    known = [count for count in counted if count]
    total = sum(pages for _, pages in known)
    if len(known) < len(counted) or not total:
        return None
    return sum(resident for resident, _ in known) / total


def _resident_and_all_pages(path: Path) -> tuple[int, int] | None:
    status = path.stat()
    if status.st_size == 0 or not (sys.platform.startswith("linux") or sys.platform == "darwin"):
        return None
    if status.st_uid != os.geteuid() and not os.access(path, os.W_OK):
        return None
    resident = 0
    with path.open("rb") as file:
        for offset in range(0, status.st_size, _WINDOW_BYTES):
            resident += _resident_pages(file.fileno(), offset, min(_WINDOW_BYTES, status.st_size - offset))
    return resident, _pages(status.st_size)


def _resident_pages(descriptor: int, offset: int, length: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
    pages = ctypes.create_string_buffer(_pages(length))
    # A private copy-on-write mapping, since ctypes takes the address of writable memory only; nothing is written.
    with mmap.mmap(descriptor, length, access=mmap.ACCESS_COPY, offset=offset) as mapping:
        start = ctypes.c_char.from_buffer(mapping)
        failed = libc.mincore(ctypes.addressof(start), length, pages)
        del start  # the mapping cannot be closed while its memory is exported
    if failed:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return pages.raw.translate(_LOWEST_BIT).count(1)


def _pages(length: int) -> int:
    return -(-length // mmap.PAGESIZE)
