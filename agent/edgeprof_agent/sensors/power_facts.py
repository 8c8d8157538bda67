"""How the device is powered and what limits it: facts that change while it runs."""

from pathlib import Path

from edgeprof_agent.sensors import jetson_identity
from edgeprof_agent.sensors.kernel_file import read_int, read_text

# Boards that lift a limit leave one of thousands of watts.
_HIGHEST_LIMIT_WATTS = 2000.0


def power_mode(root: Path) -> str | None:
    """Name the power mode: that of a Jetson with its limits, or the firmware's profile."""
    return jetson_identity.power_mode(root) or read_text(root / "sys/firmware/acpi/platform_profile")


def power_source(root: Path) -> str | None:
    """Tell ``mains`` from ``battery``; ``None`` if the device has neither a battery nor a supply that reports."""
    has_mains = discharging = False
    for folder in root.glob("sys/class/power_supply/*"):
        if read_text(folder / "scope") == "Device":  # the battery of a mouse, say
            continue
        if read_text(folder / "type") == "Battery":
            discharging |= read_text(folder / "status") == "Discharging"
        else:
            has_mains |= read_int(folder / "online") == 1
    if discharging and not has_mains:
        return "battery"
    return "mains" if has_mains else None


def power_limits_watts(root: Path) -> dict[str, float]:
    """Return the limits of each processor package by RAPL, such as ``package-0 long_term``, which anyone may read.

    Source: the kernel's Documentation/power/powercap/powercap.rst.
    """
    limits = {}
    for zone in sorted(root.glob("sys/class/powercap/intel-rapl:*")):
        if ":" in zone.name.partition(":")[2]:  # a part of a package
            continue
        for name_file in sorted(zone.glob("constraint_*_name")):
            limit_uw = read_int(name_file.with_name(name_file.name.replace("_name", "_power_limit_uw")))
            name = f"{read_text(zone / 'name')} {read_text(name_file)}"
            if limit_uw and limit_uw / 1e6 < _HIGHEST_LIMIT_WATTS:
                limits[name] = limit_uw / 1e6
    return limits
