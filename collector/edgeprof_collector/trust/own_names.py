"""The names and addresses of this machine."""

import socket
from collections.abc import Sequence

import psutil


def own_names(configured: Sequence[str]) -> tuple[str, ...]:
    """What people may call this machine by: what they said, its hostname, and every address it has now."""
    addresses = [
        address.address.partition("%")[0]
        for interface in psutil.net_if_addrs().values()
        for address in interface
        if address.family in (socket.AF_INET, socket.AF_INET6)
    ]
    return tuple(dict.fromkeys([*configured, "localhost", socket.gethostname(), *addresses]))
