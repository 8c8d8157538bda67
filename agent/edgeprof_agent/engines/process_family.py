"""The descendants of a process."""

from __future__ import annotations

import subprocess


def descendants(process_id: int) -> list[int]:
    """Every living descendant of a process, parents before their children: from what ps(1) says of all processes."""
    command = ["/bin/ps", "-A", "-o", "pid=,ppid="]
    listing = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    children: dict[int, list[int]] = {}
    for line in listing.stdout.splitlines():
        pid, parent = map(int, line.split())
        children.setdefault(parent, []).append(pid)
    found = [process_id]
    for pid in found:
        found += children.get(pid, [])
    return found[1:]
