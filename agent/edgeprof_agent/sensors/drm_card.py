"""Graphics cards as the kernel's direct rendering manager (DRM) lists them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeprof_agent.sensors.kernel_file import read_text

_CARD = re.compile(r"card\d+")  # its connectors are card0-DP-1 and so on


@dataclass(frozen=True, slots=True)
class DrmCard:
    """One card. ``name`` numbers a vendor's cards by their places on the bus, so that it survives a reboot."""

    name: str
    folder: Path
    driver: str
    slot: str
    vendor_id: str
    device_id: str

    @property
    def device(self) -> Path:
        """The folder of the PCI device."""
        return self.folder / "device"

    @property
    def hwmon(self) -> Path | None:
        """The folder of the card's own chip of hardware monitoring; not those of its parts."""
        folders = sorted(self.device.glob("hwmon/hwmon[0-9]*"))
        return next((folder for folder in folders if read_text(folder / "name") == self.driver), None)


def find_cards(root: Path, vendor: str, drivers: Sequence[str]) -> tuple[DrmCard, ...]:
    """Return the cards that one of these drivers serves, named ``vendor`` and a number.

    Only the bus's own record is read, which wakes no card.
    """
    found = {}
    for folder in root.glob("sys/class/drm/card*"):
        record = _record(folder) if _CARD.fullmatch(folder.name) else {}
        slot = record.get("PCI_SLOT_NAME")
        if slot and record.get("DRIVER") in drivers:
            found[slot] = folder, record
    cards = []
    for index, slot in enumerate(sorted(found)):
        folder, record = found[slot]
        vendor_id, _, device_id = record.get("PCI_ID", "").lower().partition(":")
        cards.append(DrmCard(f"{vendor}{index}", folder, record["DRIVER"], slot, vendor_id, device_id))
    return tuple(cards)


def _record(folder: Path) -> dict[str, str]:
    lines = (read_text(folder / "device/uevent") or "").splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}
