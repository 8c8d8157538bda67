"""Why figures of a Mac may be missing."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.apple.family import is_macos
from edgeprof_agent.sensors.apple.mac import find_mac
from edgeprof_agent.sensors.apple.memory_traffic import AppleBandwidthHistogram
from edgeprof_agent.sensors.apple.reports import Part, Reports, open_reports
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, absent
from edgeprof_agent.sensors.sensor import Closes

_MOVED = ("edgeprof_memory_moved_bytes_total",)
_BANDWIDTH = ("edgeprof_memory_bandwidth_bytes_per_second",)
_OF_PARTS = {
    Part.ENERGY: (
        "edgeprof_energy_joules_total",
        "edgeprof_power_watts",
        "edgeprof_gpu_energy_joules_total",
        "edgeprof_gpu_power_watts",
    ),
    Part.GPU: ("edgeprof_gpu_busy_ratio", "edgeprof_gpu_clock_hertz"),
    Part.CORES: ("edgeprof_cpu_frequency_hertz",),
    Part.MEMORY: (*_MOVED, *_BANDWIDTH),
}
_HEAT = ("edgeprof_temperature_celsius", "edgeprof_gpu_temperature_celsius")
_OTHERS = (
    (
        ("edgeprof_memory_bandwidth_peak_bytes_per_second",),
        "sysctl/machdep.cpu.brand_string",
        "the chip is not in the table of those that Apple specifies it for",
    ),
    (("edgeprof_gpu_clock_max_hertz",), "IORegistry/AppleARMIODevice/pmgr", "the registry lists no clocks of the GPU"),
    (
        ("edgeprof_gpu_host_memory_used_bytes",),
        "IORegistry/IOAccelerator/PerformanceStatistics",
        "the GPU's driver does not tell",
    ),
    (
        ("edgeprof_gpu_host_memory_total_bytes",),
        "MTLDevice/recommendedMaxWorkingSetSize",
        "Metal knows no GPU here, and iogpu.wired_limit_mb is not set",
    ),
    (_HEAT, "SMC, IOHID", "neither the system management controller nor HID sensors tell"),
    (("edgeprof_power_total_watts",), "SMC/PSTR", "the system management controller does not tell"),
    (
        ("edgeprof_throttled_ratio",),
        "notify/com.apple.system.thermalpressurelevel",
        "macOS keeps no level of thermal pressure",
    ),
)
APPLE = (
    *(metric for part in Part for metric in _OF_PARTS[part]),
    *(metric for entry in _OTHERS for metric in entry[0]),
)


def apple(root: Path) -> Sequence[Obstacle]:
    """From the chip to the groups of channels that macOS shows."""
    if not is_macos(root):
        return (absent(APPLE, "libSystem.B.dylib", "not a Mac"),)
    mac = find_mac(root)
    if mac is None:
        return (absent(APPLE, "sysctl/hw.optional.arm64", "not a Mac with Apple Silicon"),)
    if mac.is_virtual:
        return (absent(APPLE, "sysctl/kern.hv_vmm_present", "a virtual machine: its host has the sensors"),)
    reports = open_reports(mac)
    for sensor in reports.sensors.values():
        if isinstance(sensor, Closes):
            sensor.close()
    return (*_reports(reports), *(absent(*entry) for entry in _OTHERS))


def _reports(reports: Reports) -> list[Obstacle]:
    """Say of each group of channels why it, or some of what it could give, is not there."""
    obstacles = []
    for part, metrics in _OF_PARTS.items():
        reason = reports.reasons.get(part, "its drivers have counted nothing yet")
        if part is Part.MEMORY and part in reports.sensors:
            has_histogram = isinstance(reports.sensors[part], AppleBandwidthHistogram)
            obstacles.append(_memory(has_histogram))
            continue
        if part is not Part.MEMORY and part in reports.reasons:
            reason += "; root's powermetrics, which stands in for it, gives none either"
        obstacles.append(absent(metrics, "IOReport", reason))
    return obstacles


def _memory(has_histogram: bool) -> Obstacle:
    if has_histogram:
        reason = "the byte counters cannot be had on this chip and macOS; a coarse histogram of the bandwidth is read"
        return absent((*_MOVED, *_BANDWIDTH), "IOReport/AMC Stats", reason)
    return absent((*_BANDWIDTH, *_MOVED), "IOReport/PMP/DCS BW", "the byte counters are read instead")
