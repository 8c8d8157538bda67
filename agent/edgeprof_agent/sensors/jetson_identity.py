"""What only a Jetson tells about itself: its release of Jetson Linux, its power mode, its GPU, its memory."""

import re
from pathlib import Path

from edgeprof.device import Accelerator
from edgeprof_agent.sensors.jetson_emc import memory_limit
from edgeprof_agent.sensors.jetson_gpu import GPU
from edgeprof_agent.sensors.jetson_module import TRANSFERS_PER_CLOCK, find_module, is_jetson
from edgeprof_agent.sensors.jetson_power_mode import read_power_mode
from edgeprof_agent.sensors.kernel_file import read_text

# The first line of the file: "# R36 (release), REVISION: 4.3, GCID: ...".
_RELEASE = re.compile(r"#\s*R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)", re.ASCII)
_JETPACK = {"32": "4", "34": "5", "35": "5", "36": "6", "38": "7", "39": "7"}


def release(root: Path) -> str | None:
    """Name the release of Jetson Linux: ``Jetson Linux 36.4.3 (JetPack 6)``."""
    found = _l4t(root)
    if found is None:
        return None
    major, revision = found
    jetpack = f" (JetPack {_JETPACK[major]})" if major in _JETPACK else ""
    return f"Jetson Linux {major}.{revision}{jetpack}"


def power_mode(root: Path) -> str | None:
    """Name the power mode and its limits."""
    mode = read_power_mode(root) if is_jetson(root) else None
    return None if mode is None else mode.describe()


def accelerators(root: Path) -> tuple[Accelerator, ...]:
    """Describe the GPU inside a Jetson. Its driver comes with Jetson Linux and has that version."""
    module = find_module(root)
    if not is_jetson(root):
        return ()
    found = _l4t(root)
    product = f"{module.name} GPU" if module else "Tegra GPU"
    driver = None if found is None else ".".join(found)
    return (Accelerator(name=GPU, product=product, vendor="NVIDIA", driver_version=driver, unified_memory=True),)


def memory_bus_bits(root: Path) -> int | None:
    """Return the width of all channels of the module's memory together."""
    module = find_module(root)
    return None if module is None else module.bus_bytes * 8


def memory_transfers_per_second(root: Path) -> int | None:
    """Return how often a line of that bus can move a bit now, by the clock's limit or else by the data sheet."""
    module = find_module(root)
    if module is None:
        return None
    limit = memory_limit(root)
    return round((module.specified_hertz if limit is None else limit[0]) * TRANSFERS_PER_CLOCK)


def _l4t(root: Path) -> tuple[str, str] | None:
    match = _RELEASE.search(read_text(root / "etc/nv_tegra_release") or "")
    return (match[1], match[2]) if match else None
