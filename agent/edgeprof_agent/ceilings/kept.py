"""The latest measured memory bandwidth, kept for as long as the device runs on without a reboot.

It serves to choose a model of a fitting size without measuring first. A run measures for itself: on a virtual
machine the bandwidth doubles and halves as the host moves its cores.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeprof.device import DeviceFacts
from edgeprof_agent.ceilings.memory_bandwidth import MemoryBandwidth, measure_memory_bandwidth

_FILE_NAME = "memory-bandwidth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    boot_id: str
    cpu_model: str | None
    memory_bandwidth: MemoryBandwidth


def kept_memory_bandwidth(cache_folder: Path, boot_id: bytes, facts: DeviceFacts) -> MemoryBandwidth | None:
    """Return what was measured on this CPU since the device was started; ``None`` if nothing was."""
    try:
        kept = msgspec.json.decode((cache_folder / _FILE_NAME).read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None  # never written, or cut off by a loss of power: it is measured again
    if (kept.boot_id, kept.cpu_model) != (boot_id.hex(), facts.cpu_model):
        return None
    return kept.memory_bandwidth


async def known_memory_bandwidth(cache_folder: Path, boot_id: bytes, facts: DeviceFacts) -> MemoryBandwidth:
    """Return what was measured since the device was started, or measure now, and keep it.

    Raises:
        CeilingUnavailableError: it cannot be measured on this device.
    """
    if kept := kept_memory_bandwidth(cache_folder, boot_id, facts):
        return kept
    measured = await measure_memory_bandwidth(facts)
    keep_memory_bandwidth(cache_folder, boot_id, facts, measured)
    return measured


def keep_memory_bandwidth(cache_folder: Path, boot_id: bytes, facts: DeviceFacts, measured: MemoryBandwidth) -> None:
    """Keep a measurement in place of the one before it.

    Raises:
        OSError: the folder cannot be written to.
    """
    cache_folder.mkdir(parents=True, exist_ok=True)
    kept = _Kept(boot_id=boot_id.hex(), cpu_model=facts.cpu_model, memory_bandwidth=measured)
    unfinished = cache_folder / (_FILE_NAME + ".part")
    unfinished.write_bytes(msgspec.json.encode(kept))
    unfinished.replace(cache_folder / _FILE_NAME)
