"""A board that is not in its full mode, or runs on its battery."""

from edgeprof.device import DeviceFacts
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.rule import Evidence
from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.verdict import Finding, Severity

# Documentation/ABI/testing/sysfs-platform_profile
_SLOW_PROFILES = ("low-power", "cool", "quiet")
_OTHER_PROFILES = ("balanced", "balanced-performance", "performance", "max-power", "custom")
# nvpmodel's names of a Jetson's mode without limits: MAXN, MAXN_SUPER.
_FULL_MODE = "MAXN"
_BATTERY = "battery"


def power_mode(evidence: Evidence) -> tuple[Finding, ...]:
    """Raised once per run on a device whose mode limits it, or on battery power."""
    device = evidence.record.started.device
    told = [f"the power mode is {device.power_mode}"] if _limits(device.power_mode) else []
    told += ["the device runs on its battery"] if device.power_source == _BATTERY else []
    if not told:
        return ()
    limits = [f"{name} {text_of(hertz, 'hertz')}" for name, hertz in sorted(device.clock_limits_hertz.items())]
    limits += [f"{name} {text_of(watts, 'W')}" for name, watts in sorted(device.power_limits_watts.items())]
    told += [f"limits: {', '.join(limits)}"] if limits else []
    return (
        Finding(
            name=FindingName.POWER_MODE,
            severity=Severity.WARNING,
            title="The device does not run at its full power",
            evidence="; ".join(told),
            advice=_advice(device),
        ),
    )


def _limits(mode: str | None) -> bool:
    if mode is None or mode in _OTHER_PROFILES:
        return False
    return mode in _SLOW_PROFILES or not mode.startswith(_FULL_MODE)


def _advice(device: DeviceFacts) -> str:
    if device.power_source == _BATTERY:
        return "compare only with runs in the same mode; for the full rate connect the mains and choose the full mode"
    return "compare only with runs in the same mode; for the full rate choose the full mode and measure again"
