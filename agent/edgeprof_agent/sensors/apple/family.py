"""Apple Silicon: whether this is such a device."""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeprof_agent.sensors.apple.bindings import SYSTEM

if TYPE_CHECKING:
    from edgeprof_agent.sensors.sensor import Sensor


def discover(root: Path) -> Sequence["Sensor"]:
    """Return the sensors of a Mac with Apple Silicon; none on any other device."""
    if not is_macos(root):
        return ()
    from edgeprof_agent.sensors.apple.discovery import discover_mac  # noqa: PLC0415  of no use elsewhere

    return discover_mac(root)


def is_macos(root: Path) -> bool:
    """Tell whether macOS's libraries can be loaded."""
    try:
        ctypes.CDLL(str(root / SYSTEM))
    except OSError:  # another system
        return False
    return True
