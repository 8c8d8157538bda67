"""What is secret about this device: the names and numbers that no form gives away."""

import os
import platform
from pathlib import Path

from edgeprof_agent.sensors.apple.family import is_macos
from edgeprof_agent.sensors.apple.system import System
from edgeprof_agent.sensors.kernel_file import read_text

# Names that systems give to everybody: they tell nobody apart, and stand in the names of chips and distributions.
_COMMON = frozenset(
    {"admin", "alarm", "debian", "default", "fedora", "jetson", "localhost", "nvidia", "orangepi", "raspberrypi"}
    | {"root", "tegra", "tegra-ubuntu", "ubuntu", "user"}
)
_SHORTEST_NAME = 3
_FIRST_PERSON_UID, _NOBODY_UID = 1000, 65534

_HOST_FILES = ("proc/sys/kernel/hostname", "etc/hostname")
_ID_FILES = ("etc/machine-id", "var/lib/dbus/machine-id")
_SERIAL_FILES = (
    "sys/class/dmi/id/*_serial",
    "sys/class/dmi/id/*_asset_tag",
    "proc/device-tree/serial-number",
    "sys/class/nvme/nvme*/serial",
    "sys/class/power_supply/*/serial_number",
)


def device_secrets(root: Path) -> dict[str, set[str]]:
    """Return by kind the names of hosts and users, the machine's ids and the serial numbers that can be read."""
    hosts = {text for name in _HOST_FILES if (text := read_text(root / name))}
    if is_macos(root):
        hosts.add(System(root).text("kern.hostname") or "")
    users = _users(root)
    if root == Path("/"):
        hosts.add(platform.node())
        users |= {os.environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER")}
    hosts |= {host.partition(".")[0] for host in hosts}
    return {
        "host": {host for host in hosts if _tells_apart(host)},
        "user": {user for user in users if _tells_apart(user)},
        # as in names of interfaces and devices; with colons, an address is found by its form
        "mac": {
            text.replace(":", "").lower() for path in root.glob("sys/class/net/*/address") if (text := read_text(path))
        },
        "id": {text for name in _ID_FILES if (text := read_text(root / name))},
        "serial": {
            text
            for pattern in _SERIAL_FILES
            for path in root.glob(pattern)
            if (text := read_text(path)) and len(text) > _SHORTEST_NAME
        },
    }


def _users(root: Path) -> set[str]:
    """The people in passwd(5)."""
    users = set()
    for line in (read_text(root / "etc/passwd") or "").splitlines():
        name, _, uid = (*line.split(":"), "", "", "")[:3]
        if uid.isdigit() and _FIRST_PERSON_UID <= int(uid) < _NOBODY_UID:
            users.add(name)
    return users


def _tells_apart(name: str) -> bool:
    return len(name) >= _SHORTEST_NAME and name.lower() not in _COMMON
