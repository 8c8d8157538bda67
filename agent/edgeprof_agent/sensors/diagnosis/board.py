"""Why a board's heat, power and energy may be missing."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.diagnosis.access import GROUP, JOIN_GROUP, cpu_vendor, is_refused, is_virtual
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State, absent

RAPL = ("edgeprof_energy_joules_total",)
THERMAL_ZONE = ("edgeprof_temperature_celsius",)
HWMON = ("edgeprof_temperature_celsius", "edgeprof_power_watts", "edgeprof_energy_joules_total")

_ENERGY = "/sys/class/powercap/intel-rapl:*/energy_uj"
_RULE = "/etc/tmpfiles.d/edgeprof.conf"
_LET_READ = (
    *JOIN_GROUP,
    f"echo 'z {_ENERGY} 0440 root {GROUP}' \\\n  | sudo tee {_RULE}",
    f"sudo systemd-tmpfiles --create {_RULE}",
)


def rapl(root: Path) -> Sequence[Obstacle]:
    """Zones are root's alone since CVE-2020-8694: their finest steps give away what other programs compute."""
    zones = sorted(root.glob("sys/class/powercap/intel-rapl:*"))
    refused = [zone for zone in zones if is_refused(zone / "energy_uj")]
    if refused:
        reason = "only root may read it (since CVE-2020-8694); this lets a group read it, after each boot too"
        source = f"/{(refused[0] / 'energy_uj').relative_to(root)}"
        return (Obstacle(metrics=RAPL, state=State.REFUSED, source=source, reason=reason, remedies=_LET_READ),)
    if zones:
        return (absent(RAPL, _ENERGY, "the zones give no value"),)
    if is_virtual(root):
        return (absent(RAPL, _ENERGY, "a virtual machine: only its host can read the counters"),)
    if cpu_vendor(root) not in ("GenuineIntel", "AuthenticAMD"):
        return (absent(RAPL, _ENERGY, "only Intel and AMD processors count their energy"),)
    return (
        Obstacle(
            metrics=RAPL,
            state=State.REFUSED,
            source="/sys/class/powercap",
            reason="the kernel's driver is not loaded",
            remedies=(
                "sudo modprobe intel_rapl_msr  # AMD's processors as well",
                "echo intel_rapl_msr | sudo tee /etc/modules-load.d/edgeprof.conf",
            ),
        ),
    )


def thermal_zone(root: Path) -> Sequence[Obstacle]:
    """Virtual machines and some PCs have none."""
    zones = sorted(root.glob("sys/class/thermal/thermal_zone[0-9]*"))
    reason = "its zones give no temperature now" if zones else "the firmware describes no thermal zone"
    if is_virtual(root):
        reason = "a virtual machine: its host knows the temperatures"
    return (absent(THERMAL_ZONE, "/sys/class/thermal/thermal_zone*/temp", reason),)


def hwmon(root: Path) -> Sequence[Obstacle]:
    """Chips show themselves when a driver is loaded for them."""
    source = "/sys/class/hwmon"
    if is_virtual(root):
        return (absent(HWMON, source, "a virtual machine: its host has the chips"),)
    if any(root.glob("sys/class/hwmon/hwmon[0-9]*/temp*_input")):
        return (absent(HWMON, source, "no chip measures it"),)
    if cpu_vendor(root) is None:  # no PC: the device tree names every chip, and there is nothing to search for
        return (absent(HWMON, source, "no chip with a driver measures it"),)
    return (
        Obstacle(
            metrics=HWMON[:1],
            state=State.REFUSED,
            source=source,
            reason="no driver of a chip with sensors is loaded; lm-sensors finds those that the board needs",
            remedies=("sudo apt install lm-sensors", "sudo sensors-detect --auto"),
        ),
        absent(HWMON[1:], source, "no chip measures it"),
    )
