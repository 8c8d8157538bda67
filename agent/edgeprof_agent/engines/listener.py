"""Which process listens at an address of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

_LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h
_DEFAULT_PORTS = {"http": 80, "https": 443}


def listening_process(address: str, root: Path = Path("/")) -> int | None:
    """The process that listens at the port of an HTTP address, by /proc/net/tcp and /proc/PID/fd.

    ``None`` where that is not known: the port is a container's, the process is another user's, or this is no Linux.
    Of several processes that share the socket it is the one with the lowest number, the parent of the others.
    """
    parts = urlsplit(address)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    sockets = _listening_sockets(port, root)
    if not sockets:
        return None
    processes = (folder for folder in (root / "proc").iterdir() if folder.name.isdigit())
    return min((int(folder.name) for folder in processes if _holds(folder, sockets)), default=None)


def _listening_sockets(port: int, root: Path) -> set[str]:
    """What /proc/PID/fd calls the sockets that listen there: ``socket:[INODE]``."""
    found = set()
    for name in ("tcp", "tcp6"):
        table = root / "proc" / "net" / name
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _holds(folder: Path, sockets: set[str]) -> bool:
    try:
        return any(os.readlink(str(link)) in sockets for link in (folder / "fd").iterdir())  # noqa: PTH115  Python 3.8
    except OSError:  # it has ended, or is another user's
        return False
