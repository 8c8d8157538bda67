"""Names of cards. What the device trees' facts show is not repeated here."""

from pathlib import Path

from edgeprof_agent.sensors.drm_identity import amd_accelerators, intel_accelerators
from edgeprof_agent.sensors.pci_names import amd_product, device_name

PCI_LIST = (
    "# a comment\n1002  AMD\n\t744c  Navi 31\n\t\t1002 0e3b  RX 7900 GRE\n\n8086  Intel Corporation\n\t744c  other\n"
)


def test_a_device_is_looked_for_among_its_vendors(tmp_path: Path) -> None:
    path = tmp_path / "usr/share/misc/pci.ids"
    path.parent.mkdir(parents=True)
    path.write_text(PCI_LIST)
    assert device_name(tmp_path, "1002", "744c") == "Navi 31"
    assert device_name(tmp_path, "8086", "744c") == "other"
    assert device_name(tmp_path, "8086", "56a0") is None
    assert device_name(tmp_path, "10de", "744c") is None


def test_a_product_is_chip_and_revision(tmp_path: Path) -> None:
    path = tmp_path / "usr/share/libdrm/amdgpu.ids"
    path.parent.mkdir(parents=True)
    path.write_text("# List\n1.0.0\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n744C,\tCC,\tAMD Radeon RX 7900 XT\n")
    assert amd_product(tmp_path, "744c", "cc") == "AMD Radeon RX 7900 XT"
    assert amd_product(tmp_path, "744c", "00") is None


def test_without_lists_the_numbers_are_the_name(tmp_path: Path) -> None:
    for number, driver, pci_id in ((0, "amdgpu", "1002:744C"), (1, "xe", "8086:E20B")):
        folder = tmp_path / f"sys/class/drm/card{number}/device"
        folder.mkdir(parents=True)
        (folder / "uevent").write_text(f"DRIVER={driver}\nPCI_ID={pci_id}\nPCI_SLOT_NAME=0000:0{number}:00.0\n")
    assert [gpu.product for gpu in amd_accelerators(tmp_path)] == ["AMD GPU 1002:744c"]
    assert [gpu.product for gpu in intel_accelerators(tmp_path)] == ["Intel GPU 8086:e20b"]
    assert not any(gpu.unified_memory for gpu in intel_accelerators(tmp_path))
