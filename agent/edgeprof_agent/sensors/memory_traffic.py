"""Bytes that the host's memory really moved, where the hardware counts them and lets itself be asked."""

from pathlib import Path

from edgeprof_agent.sensors import resctrl, uncore
from edgeprof_agent.sensors.sensor import Sensor


def discover(root: Path) -> Sensor | None:
    """Return the counters of the memory controllers; where they are refused, those of the last-level caches.

    Both count the same traffic. The controllers tell reads from writes and see devices' traffic too. Ordinary desktop
    processors let nobody but root ask, and many have neither.
    """
    controllers = uncore.discover(root) if root == Path("/") else None  # events exist on this machine alone
    return controllers or resctrl.discover(root)
