"""What a device is like, as far as it decides on what can be read."""

import errno
import re
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import read_text

# So that the owner can let the agent read without letting everybody: every remedy uses this group.
GROUP = "edgeprof"
JOIN_GROUP = (f"sudo groupadd -f {GROUP}", f'sudo usermod -aG {GROUP} "$USER"  # then log in again')

_DISPLAY = "0x03"  # PCI's class of display controllers, those without a connector included
_HYPERVISORS = (
    "qemu",
    "kvm",
    "vmware",
    "xen",
    "virtualbox",
    "amazon ec2",
    "google compute",
    "virtual machine",
    "bhyve",
)


def is_refused(path: Path) -> bool:
    """Tell whether the file is there and permission is what is missing."""
    try:
        with path.open("rb"):
            return False
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EPERM)


def is_virtual(root: Path) -> bool:
    """Tell whether the device is a virtual machine, which sees no sensors of its host."""
    if re.search(r"^flags\s*:.*\bhypervisor\b", read_text(root / "proc/cpuinfo") or "", re.MULTILINE):
        return True
    tables = root / "sys/class/dmi/id"
    names = " ".join(read_text(tables / name) or "" for name in ("sys_vendor", "product_name")).lower()
    return any(hypervisor in names for hypervisor in _HYPERVISORS)


def cpu_vendor(root: Path) -> str | None:
    """Return ``GenuineIntel`` or ``AuthenticAMD``, or another's name for itself; ``None`` on ARM."""
    match = re.search(r"^vendor_id\s*:\s*(\S+)", read_text(root / "proc/cpuinfo") or "", re.MULTILINE)
    return match[1] if match else None


def has_cpu_flag(root: Path, flag: str) -> bool:
    """Tell whether the processor says that it has a feature."""
    return re.search(rf"^flags\s*:.*\b{flag}\b", read_text(root / "proc/cpuinfo") or "", re.MULTILINE) is not None


def has_gpu(root: Path, vendor: str) -> bool:
    """Tell whether a display controller of this PCI vendor is on the bus, with or without a driver."""
    return any(
        read_text(folder / "vendor") == vendor and (read_text(folder / "class") or "").startswith(_DISPLAY)
        for folder in root.glob("sys/bus/pci/devices/*")
    )
