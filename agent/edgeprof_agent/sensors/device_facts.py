"""What this device is."""

import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from edgeprof import __version__
from edgeprof.device import Accelerator, DeviceFacts
from edgeprof_agent.sensors import cpu_topology, jetson_identity, nvml, power_facts
from edgeprof_agent.sensors.apple.identity import with_mac, with_power_of_mac
from edgeprof_agent.sensors.dmi import host_memory
from edgeprof_agent.sensors.drm_identity import amd_accelerators, intel_accelerators
from edgeprof_agent.sensors.kernel_file import bytes_behind, read_text

# What makers of boards leave in the firmware when they fill in nothing.
_NO_NAMES = ("to be filled by o.e.m.", "default string", "system product name", "system manufacturer", "not specified")


def gather_device_facts(root: Path, device_id: str, labels: Mapping[str, str]) -> DeviceFacts:
    """Read the device's identity and make-up from files and a Mac's libraries under ``root``, and from NVML."""
    memory = host_memory(root)
    facts = DeviceFacts(
        device_id=device_id,
        hostname=read_text(root / "proc/sys/kernel/hostname") or platform.node(),
        architecture=read_text(root / "proc/sys/kernel/arch") or platform.machine(),
        logical_cores=cpu_topology.logical_cores(root),
        physical_cores=cpu_topology.physical_cores(root),
        cpu_model=cpu_topology.cpu_model(root),
        last_level_cache_bytes=cpu_topology.last_level_cache_bytes(root),
        governor=cpu_topology.governor(root),
        clock_limits_hertz=cpu_topology.clock_limits_hertz(root),
        memory_total_bytes=_memory_total_bytes(root),
        memory_type=memory.type,
        memory_transfers_per_second=memory.transfers_per_second or jetson_identity.memory_transfers_per_second(root),
        memory_bus_bits=memory.bus_bits or jetson_identity.memory_bus_bits(root),
        os=", ".join(name for name in (_os(root), jetson_identity.release(root)) if name),
        kernel=read_text(root / "proc/sys/kernel/osrelease") or platform.release(),
        agent_version=__version__,
        board=_board(root),
        soc=_soc(root),
        firmware=read_text(root / "sys/class/dmi/id/bios_version"),
        power_mode=power_facts.power_mode(root),
        power_source=power_facts.power_source(root),
        power_limits_watts=power_facts.power_limits_watts(root),
        accelerators=_accelerators(root),
        labels=dict(labels),
    )
    return with_mac(facts, root)


def refresh_device_facts(facts: DeviceFacts, root: Path) -> DeviceFacts:
    """Return the facts with those read again that change while a device runs. Cheap: a few small files."""
    read_again = replace(
        facts,
        governor=cpu_topology.governor(root),
        clock_limits_hertz=cpu_topology.clock_limits_hertz(root),
        power_mode=power_facts.power_mode(root),
        power_source=power_facts.power_source(root),
        power_limits_watts=power_facts.power_limits_watts(root),
        accelerators=_accelerators(root) if _has_another_driver(facts, root) else facts.accelerators,
    )
    return with_power_of_mac(read_again, root)


def _accelerators(root: Path) -> tuple[Accelerator, ...]:
    return (
        *(nvml.accelerators(root) or jetson_identity.accelerators(root)),
        *amd_accelerators(root),
        *intel_accelerators(root),
    )


def _has_another_driver(facts: DeviceFacts, root: Path) -> bool:
    """Tell whether the kernel has loaded another driver of NVIDIA's than the one that was known, or its first."""
    loaded = read_text(root / "sys/module/nvidia/version")
    return loaded is not None and loaded not in {each.driver_version for each in facts.accelerators}


def _memory_total_bytes(root: Path) -> int:
    meminfo = read_text(root / "proc/meminfo")
    total = bytes_behind(meminfo.encode(), b"MemTotal:") if meminfo else None
    return psutil.virtual_memory().total if total is None else total


def _os(root: Path) -> str:
    """Name the system as os-release(5) does for people."""
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        for line in (read_text(path) or "").splitlines():
            key, _, value = line.partition("=")
            if key == "PRETTY_NAME":
                return value.strip("\"'")
    return f"macOS {platform.mac_ver()[0]}" if platform.system() == "Darwin" else platform.system()


def _board(root: Path) -> str | None:
    """Name the board by its device tree, or else by the firmware's tables: the product, or the bare board."""
    if model := read_text(root / "proc/device-tree/model"):
        return model
    dmi = root / "sys/class/dmi/id"
    for vendor_file, name_file in (("sys_vendor", "product_name"), ("board_vendor", "board_name")):
        vendor, name = (read_text(dmi / file) or "" for file in (vendor_file, name_file))
        if name and name.lower() not in _NO_NAMES:
            return f"{vendor} {name}".strip()
    return None


def _soc(root: Path) -> str | None:
    """Name the chip by the last, least special entry of the device tree's ``compatible``: ``nvidia,tegra234``."""
    compatible = read_text(root / "proc/device-tree/compatible")
    return compatible.split("\0")[-1] if compatible else None
