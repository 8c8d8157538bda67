"""Files that only their owner may read."""

import os
import tempfile
from pathlib import Path

from edgeprof.errors import EdgeprofError


def write_private(path: Path, content: bytes, *, replace: bool = True) -> bool:
    """Write a file whole or not at all, for its owner's eyes from its first byte on.

    Args:
        path: the file; its folder is made when missing.
        content: what is written.
        replace: whether a file that is there gives way. If not, and there is one, nothing is written.

    Returns:
        Whether it was written.

    Raises:
        EdgeprofError: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # its mode is 0600
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            return _put(part, path, replace=replace)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be written: {error.strerror}; check its folder, or name another") from error


def _put(part: Path, path: Path, *, replace: bool) -> bool:
    if replace:
        part.replace(path)
        return True
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    return True


def refuse_if_others_can_read(path: Path) -> None:
    """Refuse a private file that others than its owner may read.

    Raises:
        EdgeprofError: they may.
    """
    if path.stat().st_mode & 0o077:
        raise EdgeprofError(f"{path} holds a private key and others may read it: chmod 600 {path}")
