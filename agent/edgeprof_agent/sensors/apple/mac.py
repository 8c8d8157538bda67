"""A Mac with Apple Silicon: its libraries, loaded once and shared by its sensors."""

from dataclasses import dataclass
from pathlib import Path

from edgeprof_agent.sensors.apple.c_library import LibraryMissingError
from edgeprof_agent.sensors.apple.core_foundation import CoreFoundation
from edgeprof_agent.sensors.apple.io_registry import IORegistry
from edgeprof_agent.sensors.apple.system import System

GPU = "apple0"  # a chip has one GPU, and is one even where two dies make it up


@dataclass(frozen=True, slots=True)
class Mac:
    """What every Mac has. IOReport is loaded apart: a macOS without it keeps the rest."""

    root: Path
    system: System
    core_foundation: CoreFoundation
    registry: IORegistry

    @property
    def is_virtual(self) -> bool:
        """Whether this is a virtual machine, which sees no sensors of its host."""
        return self.system.integer("kern.hv_vmm_present") == 1


def find_mac(root: Path) -> Mac | None:
    """Return the Mac whose libraries lie under ``root``; ``None`` for any other device, a Mac with Intel's included."""
    try:
        system = System(root)
        if system.integer("hw.optional.arm64") != 1:
            return None
        core_foundation = CoreFoundation(root)
        return Mac(root, system, core_foundation, IORegistry(root, core_foundation))
    except LibraryMissingError:  # not macOS
        return None
