"""A child that asks Metal for the most memory that the GPU should have in use, prints it in bytes, and ends.

Source: ``MTLDevice.recommendedMaxWorkingSetSize``.
"""

import sys
from pathlib import Path

from edgeprof_agent.sensors.apple.bindings import METAL, METAL_FUNCTIONS, OBJECTIVE_C, OBJECTIVE_C_FUNCTIONS
from edgeprof_agent.sensors.apple.c_library import LibraryMissingError, load_library


def working_set_limit_bytes(root: Path) -> int | None:
    """Return the limit; ``None`` if Metal knows no GPU here.

    Raises:
        LibraryMissingError: there is no Metal.
    """
    metal = load_library(root, METAL, METAL_FUNCTIONS)
    objective_c = load_library(root, OBJECTIVE_C, OBJECTIVE_C_FUNCTIONS)
    device = metal.MTLCreateSystemDefaultDevice()
    if device is None:
        return None
    limit_bytes: int = objective_c.objc_msgSend(device, objective_c.sel_registerName(b"recommendedMaxWorkingSetSize"))
    return limit_bytes


def main() -> int:
    """Print the limit of the Mac whose libraries are under the root given."""
    try:
        limit_bytes = working_set_limit_bytes(Path(sys.argv[1]))
    except LibraryMissingError:
        return 1
    if limit_bytes is None:
        return 1
    sys.stdout.write(f"{limit_bytes}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
