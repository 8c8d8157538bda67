"""The small files in which the kernel shows its values, under /proc and /sys."""

import os
from pathlib import Path


def read_text(path: Path) -> str | None:
    """Return the file's text without blanks and NULs at its ends; ``None`` if it cannot be read or is empty.

    Firmware tables and device trees are no text of ours: bytes that are not UTF-8 are replaced.
    """
    try:
        content = path.read_bytes()
    except OSError:  # absent, not permitted, or its device does not answer: all mean that there is no value
        return None
    return content.decode("utf-8", "replace").strip("\0 \t\r\n") or None


def read_int(path: Path) -> int | None:
    """Return the integer in the file; ``None`` if it cannot be read or holds none."""
    text = read_text(path)
    return _integer(text.encode()) if text else None


def bytes_behind(content: bytes, key: bytes) -> int | None:
    """Return the size on the line that begins with ``key``; it says kB and means KiB (proc(5))."""
    start = content.find(key)
    if start < 0:
        return None
    return int(content[start + len(key) : content.index(b"\n", start)].split()[0]) * 1024


def source_of(path: Path, root: Path) -> str:
    """Name the file as it is called on the device, whatever the root that it is read under."""
    return f"/{path.relative_to(root)}"


class KernelFile:
    """A file that is kept open and read again and again: the kernel composes it anew at each read from its start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def read(self, size: int = 65536, offset: int = 0) -> bytes:
        """Return the file's first bytes, or those from ``offset`` on, in one read.

        Raises:
            OSError: it cannot be read. The next read opens it anew.
        """
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDONLY)
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError:
            self.close()
            raise

    def read_whole(self) -> bytes:
        """Return the file to its end. Needed for lists, which the kernel hands out a page at a time.

        Raises:
            OSError: it cannot be read. The next read opens it anew.
        """
        content = self.read()
        while more := self.read(offset=len(content)):
            content += more
        return content

    def read_int(self) -> int | None:
        """Return the integer in the file; ``None`` if it has none now."""
        try:
            return _integer(self.read(64))
        except OSError:  # a gated or unplugged device: no value now, perhaps one later
            return None

    def close(self) -> None:
        """Close the file. Reading opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _integer(content: bytes) -> int | None:
    try:
        return int(content.strip(b"\0 \t\r\n"))
    except ValueError:  # empty, or words such as "unknown": no value
        return None
