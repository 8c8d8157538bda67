"""What AMD's and Intel's GPUs are. Nothing here wakes one that sleeps."""

from pathlib import Path

from edgeprof.device import Accelerator
from edgeprof_agent.sensors.amdgpu import amd_cards, is_apu
from edgeprof_agent.sensors.amdgpu_memory import find_memory
from edgeprof_agent.sensors.drm_card import DrmCard
from edgeprof_agent.sensors.intel_gpu import intel_cards, is_integrated
from edgeprof_agent.sensors.kernel_file import read_int, read_text
from edgeprof_agent.sensors.pci_names import amd_product, device_name


def amd_accelerators(root: Path) -> tuple[Accelerator, ...]:
    """Describe the GPUs of the amdgpu driver, whose version only drivers from outside the kernel tell."""
    described = []
    for card in amd_cards(root):
        revision = (read_text(card.device / "revision") or "").removeprefix("0x").lower()
        memory = find_memory(root, card.slot)
        described.append(
            Accelerator(
                name=card.name,
                product=amd_product(root, card.device_id, revision) or _product(root, card, "AMD"),
                vendor="AMD",
                memory_total_bytes=read_int(card.device / "mem_info_vram_total"),
                driver_version=read_text(root / "sys/module/amdgpu/version"),
                unified_memory=is_apu(card),
                memory_clock_max_hertz=None if memory is None else round(memory.double_rate_clock_hertz),
                memory_bus_bits=None if memory is None else memory.bus_bits,
            )
        )
    return tuple(described)


def intel_accelerators(root: Path) -> tuple[Accelerator, ...]:
    """Describe the GPUs of the drivers i915 and xe, which are parts of the kernel and tell no memory's size."""
    return tuple(
        Accelerator(
            name=card.name,
            product=_product(root, card, "Intel"),
            vendor="Intel",
            unified_memory=is_integrated(card),
        )
        for card in intel_cards(root)
    )


def _product(root: Path, card: DrmCard, vendor: str) -> str:
    name = device_name(root, card.vendor_id, card.device_id)
    return f"{vendor} {name}" if name else f"{vendor} GPU {card.vendor_id}:{card.device_id}"
