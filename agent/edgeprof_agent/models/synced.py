"""Files that are on the disk when they are said to be."""

import os
from typing import BinaryIO

SYNC_BYTES = 256 << 20
"""How much is written between two waits for the disk."""


def sync(file: BinaryIO) -> None:
    """Wait until all that was written to ``file`` is on the disk."""
    file.flush()
    os.fsync(file.fileno())
