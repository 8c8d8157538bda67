"""Names of PCI devices, from the lists that distributions install."""

from collections.abc import Iterator
from pathlib import Path

_LISTS = ("usr/share/hwdata/pci.ids", "usr/share/misc/pci.ids")
_AMD_LIST = "usr/share/libdrm/amdgpu.ids"


def device_name(root: Path, vendor_id: str, device_id: str) -> str | None:
    """Return a device's name by its numbers in hexadecimal; ``None`` without a list, or if it is not in one.

    Lines without a tab begin a vendor, those with one are its devices: ``744c  Navi 31 [Radeon RX 7900 XT]``.
    """
    for place in _LISTS:
        in_vendor = False
        for line in _lines(root / place):
            if line.startswith(vendor_id):
                in_vendor = True
            elif in_vendor and line.startswith(f"\t{device_id} "):
                return line.split(maxsplit=1)[1].strip()
            elif line and not line.startswith(("\t", "#")):
                in_vendor = False
    return None


def amd_product(root: Path, device_id: str, revision: str) -> str | None:
    """Return the product that AMD sells with this chip in this revision: ``744C, C8, AMD Radeon RX 7900 XTX``."""
    for line in _lines(root / _AMD_LIST):
        fields = [part.strip() for part in line.split(",", 2)]
        if len(fields) == 3 and [fields[0].lower(), fields[1].lower()] == [device_id, revision]:
            return fields[2]
    return None


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from file
    except OSError:  # not installed
        return
