"""The most memory that the GPU should have in use at one time: beyond it, macOS takes memory away from it."""

import subprocess
import sys
from pathlib import Path

from edgeprof_agent.sensors.apple.mac import Mac

_LIMIT = "iogpu.wired_limit_mb"  # in MiB; 0 while the owner has set none
_CHILD = "edgeprof_agent.sensors.apple.metal_limit"
_CHILD_SECONDS = 5.0


def working_set_limit(mac: Mac) -> tuple[int, str] | None:
    """Return the limit in bytes that the owner has set, or else Metal's, with the source."""
    limit_mib = mac.system.integer(_LIMIT)
    if limit_mib is not None and limit_mib > 0:
        return limit_mib << 20, f"sysctl/{_LIMIT}"
    metal_bytes = metal_limit_bytes(mac.root)
    return None if metal_bytes is None else (metal_bytes, "MTLDevice/recommendedMaxWorkingSetSize")


def metal_limit_bytes(root: Path) -> int | None:
    """Ask Metal in a process of its own: it would stay in the agent's memory."""
    command = [sys.executable, "-m", _CHILD, str(root)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_CHILD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):  # Metal hangs, or no process can be had: there is no such value
        return None
    text = done.stdout.strip()
    return int(text) or None if done.returncode == 0 and text.isdigit() else None
