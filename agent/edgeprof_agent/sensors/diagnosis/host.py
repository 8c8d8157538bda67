"""Why the host's own figures may be missing: CPU, memory, disks, networks, pressure."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.diagnosis.access import cpu_vendor, is_virtual
from edgeprof_agent.sensors.diagnosis.obstacle import Obstacle, State, absent
from edgeprof_agent.sensors.kernel_file import bytes_behind, read_text

CPU = ("edgeprof_cpu_busy_ratio", "edgeprof_cpu_core_busy_ratio")
MEMORY = ("edgeprof_memory_total_bytes", "edgeprof_memory_available_bytes", "edgeprof_swap_used_bytes")
WORKLOAD = (
    "edgeprof_workload_cpu_seconds_total",
    "edgeprof_workload_major_page_faults_total",
    "edgeprof_workload_resident_bytes",
    "edgeprof_workload_resident_anonymous_bytes",
    "edgeprof_workload_resident_file_bytes",
    "edgeprof_workload_resident_peak_bytes",
)
CPU_FREQUENCY = ("edgeprof_cpu_frequency_hertz",)
CPU_THROTTLE = ("edgeprof_cpu_throttle_events_total", "edgeprof_cpu_throttled_seconds_total")
PRESSURE = ("edgeprof_pressure_seconds_total",)
PAGING = ("edgeprof_swap_in_bytes_total", "edgeprof_swap_out_bytes_total", "edgeprof_major_page_faults_total")
DISK = ("edgeprof_disk_read_bytes_total", "edgeprof_disk_written_bytes_total")
NETWORK = ("edgeprof_network_received_bytes_total", "edgeprof_network_transmitted_bytes_total")

# How to add a word to the kernel's command line, by the file in which the boot loader keeps it.
_BOOT_LOADERS = (
    ("boot/firmware/cmdline.txt", ("sudo sed -i '1s/$/ psi=1/' /boot/firmware/cmdline.txt",)),
    ("boot/extlinux/extlinux.conf", ("sudo sed -i '/^ *APPEND/s/$/ psi=1/' /boot/extlinux/extlinux.conf",)),
    (
        "etc/default/grub",
        ("sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&psi=1 /' /etc/default/grub", "sudo update-grub"),
    ),
)


def cpu(root: Path) -> Sequence[Obstacle]:
    """Without /proc there is psutil, on this machine alone."""
    return _needs_proc(root, "proc/stat", CPU)


def memory(root: Path) -> Sequence[Obstacle]:
    """A host without swap has none in use."""
    meminfo = read_text(root / "proc/meminfo")
    if meminfo is None:
        return _needs_proc(root, "proc/meminfo", MEMORY)
    if bytes_behind(f"{meminfo}\n".encode(), b"SwapTotal:"):
        return ()
    return (absent(("edgeprof_swap_used_bytes",), "/proc/meminfo", "this host has no swap"),)


def workload(root: Path) -> Sequence[Obstacle]:
    """It is read while there is one."""
    if not (root / "proc/stat").exists():
        return _needs_proc(root, "proc/stat", WORKLOAD)
    return (absent(WORKLOAD, "/proc/PID", "there is no workload under this root; it is read while one runs"),)


def cpu_frequency(root: Path) -> Sequence[Obstacle]:
    """Clocks that the kernel does not scale are not shown."""
    reason = "the kernel scales no clocks"
    if is_virtual(root):
        reason = "a virtual machine: its host scales the clocks"
    return (absent(CPU_FREQUENCY, "/sys/devices/system/cpu/cpufreq/policy*", reason),)


def cpu_throttle(root: Path) -> Sequence[Obstacle]:
    """Only Intel's processors count."""
    reason = "only Intel processors count it"
    if cpu_vendor(root) == "GenuineIntel":
        reason = "a virtual machine" if is_virtual(root) else "this processor or kernel does not count it"
    return (absent(CPU_THROTTLE, "/sys/devices/system/cpu/cpu*/thermal_throttle", reason),)


def pressure(root: Path) -> Sequence[Obstacle]:
    """Kernels are built without it, or with it switched off."""
    if (root / "proc/pressure/cpu").exists():
        return ()
    release = read_text(root / "proc/sys/kernel/osrelease")
    config = read_text(root / f"boot/config-{release}") or ""
    if "CONFIG_PSI=y" not in config:
        reason = "the kernel was built without CONFIG_PSI" if config else "the kernel does not show it (CONFIG_PSI)"
        return (absent(PRESSURE, "/proc/pressure", reason),)
    reason = "the kernel has it switched off; it wants psi=1 on its command line"
    remedies = next((commands for file, commands in _BOOT_LOADERS if (root / file).exists()), None)
    if remedies is None:
        return (absent(PRESSURE, "/proc/pressure", reason),)
    return (
        Obstacle(
            metrics=PRESSURE,
            state=State.REFUSED,
            source="/proc/pressure",
            reason=reason,
            remedies=(*remedies, "sudo reboot"),
        ),
    )


def paging(root: Path) -> Sequence[Obstacle]:
    """Read from /proc alone."""
    return _needs_proc(root, "proc/vmstat", PAGING)


def disk(root: Path) -> Sequence[Obstacle]:
    """A container may show no disks."""
    if not (root / "proc/diskstats").exists():
        return _needs_proc(root, "proc/diskstats", DISK)
    return (absent(DISK, "/sys/block/*/device", "no block device has a disk behind it"),)


def network(root: Path) -> Sequence[Obstacle]:
    """A container without a network has loopback alone."""
    if not (root / "proc/net/dev").exists():
        return _needs_proc(root, "proc/net/dev", NETWORK)
    return (absent(NETWORK, "/proc/net/dev", "there is no interface but loopback"),)


def _needs_proc(root: Path, file: str, metrics: tuple[str, ...]) -> Sequence[Obstacle]:
    if (root / file).exists():
        return ()
    return (absent(metrics, f"/{file}", "there is no such file: is /proc mounted?"),)
