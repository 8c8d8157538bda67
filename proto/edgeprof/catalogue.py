"""Every metric once. Sensors, exposition, documents and dashboards read it; no other name can be sampled.

Names are in base units with the unit last, as Prometheus wants them. ``resolution`` is the step to which values
are rounded at the source, no coarser than any sensor known to give the metric. A counter starts anywhere and only
grows until its source resets.
"""

from edgeprof.metric import Kind, Metric, Tier
from edgeprof.telemetry import Channel


def _gauge(name: str, resolution: float, help_text: str, *labels: str, tier: Tier = Tier.FAST) -> Metric:
    return Metric(name, Kind.GAUGE, resolution, help_text, labels, tier)


def _counter(name: str, resolution: float, help_text: str, *labels: str, tier: Tier = Tier.FAST) -> Metric:
    return Metric(name, Kind.COUNTER, resolution, help_text, labels, tier)


_METRICS = (
    # CPU
    _gauge("edgeprof_cpu_busy_ratio", 0.001, "Share of all cores' time spent working since the sample before"),
    _gauge(
        "edgeprof_cpu_core_busy_ratio",
        0.001,
        "Share of one core's time spent working since the sample before",
        "core",
    ),
    _gauge(
        "edgeprof_cpu_frequency_hertz",
        1e6,
        "Clock of a core now; on Apple Silicon its mean while it ran since the sample before",
        "core",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_cpu_throttle_events_total",
        1,
        "Times that heat held clocks back: of a package's cores, added up, or of the package as a whole",
        "package",
        "scope",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_cpu_throttled_seconds_total",
        0.001,
        "Time that heat held clocks back, each stretch added when it ends; of cores, added up",
        "package",
        "scope",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_pressure_seconds_total",
        1e-6,
        "Time that some or all (full) tasks that had work waited for a resource",
        "resource",
        "share",
        tier=Tier.SLOW,
    ),
    # Memory
    _gauge("edgeprof_memory_total_bytes", 4096, "Memory that the kernel manages", tier=Tier.SLOW),
    _gauge("edgeprof_memory_available_bytes", 65536, "Memory that programs can still take without swapping"),
    _gauge("edgeprof_swap_used_bytes", 4096, "Swap in use", tier=Tier.SLOW),
    _counter("edgeprof_swap_in_bytes_total", 4096, "Bytes read back from swap", tier=Tier.SLOW),
    _counter("edgeprof_swap_out_bytes_total", 4096, "Bytes written to swap", tier=Tier.SLOW),
    _counter(
        "edgeprof_major_page_faults_total",
        1,
        "Page faults of all processes that had to wait for a disk",
        tier=Tier.SLOW,
    ),
    # Disks and networks
    _counter("edgeprof_disk_read_bytes_total", 512, "Bytes read from a disk", "disk", tier=Tier.SLOW),
    _counter("edgeprof_disk_written_bytes_total", 512, "Bytes written to a disk", "disk", tier=Tier.SLOW),
    _counter("edgeprof_network_received_bytes_total", 1, "Bytes received", "interface", tier=Tier.SLOW),
    _counter("edgeprof_network_transmitted_bytes_total", 1, "Bytes sent", "interface", tier=Tier.SLOW),
    # The engine's child process and its descendants
    _counter("edgeprof_workload_cpu_seconds_total", 0.01, "CPU time of the workload's processes"),
    _counter(
        "edgeprof_workload_major_page_faults_total",
        1,
        "Page faults of the workload's processes that had to wait for a disk",
    ),
    _gauge("edgeprof_workload_resident_bytes", 4096, "Resident memory of the workload's processes"),
    _gauge("edgeprof_workload_resident_anonymous_bytes", 4096, "Of it, memory of its own", tier=Tier.SLOW),
    _gauge(
        "edgeprof_workload_resident_file_bytes",
        4096,
        "Of it, pages of files, such as mapped weights",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_workload_resident_peak_bytes",
        4096,
        "The kernel's high-water mark of it; of several processes, the sum of their marks",
        tier=Tier.SLOW,
    ),
    # Heat, power and energy of the board
    _gauge("edgeprof_temperature_celsius", 0.1, "Temperature of a place on the board", "chip", "place"),
    _gauge(
        "edgeprof_power_watts",
        0.001,
        "Power of a rail; on Apple Silicon the mean between its driver's last two updates, up to some seconds",
        "chip",
        "rail",
    ),
    _gauge(
        "edgeprof_power_total_watts",
        0.001,
        "Power of the board; rails names what is in it, so totals of different boards are not the same quantity",
        "rails",
    ),
    _counter("edgeprof_energy_joules_total", 0.001, "Energy of a rail since its counter began", "chip", "rail"),
    _gauge(
        "edgeprof_throttled_ratio",
        1,
        "1 while the kernel holds back a place on the board for a reason, else 0",
        "place",
        "reason",
    ),
    _counter(
        "edgeprof_overcurrent_events_total",
        1,
        "Alarms of the board's supply since boot; on Orin oc1 is under-voltage, oc2 average and oc3 momentary current",
        "event",
    ),
    _gauge(
        "edgeprof_clock_locked_ratio",
        1,
        "1 if a domain's lowest clock is set to its highest, as jetson_clocks does, else 0",
        "domain",
        tier=Tier.SLOW,
    ),
    # Bandwidth of memory. source is hardware_counter, activity_clock (controller activity times bus width),
    # hardware_counter_16_bit (of megabytes a second, in firmware: a rate above 65.5 GB/s begins again from nothing),
    # histogram (time spent in steps of 16 or 32 GB/s, each counted by its middle: coarse), vendor_ratio (a share of the
    # peak) or derived; of a peak, it is measured, computed (clock times width) or
    # specified. memory is "system" or a GPU's name; direction is read, write or both.
    _counter(
        "edgeprof_memory_moved_bytes_total",
        64,
        "Bytes moved to or from memory since their counter began; its increase over time is the bandwidth",
        "direction",
        "memory",
        "source",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_memory_bandwidth_bytes_per_second",
        1e6,
        "Bytes moved to or from memory; activity_clock is the controller's own average over some milliseconds",
        "direction",
        "memory",
        "source",
    ),
    _gauge(
        "edgeprof_memory_bandwidth_peak_bytes_per_second",
        1e6,
        "Most bytes that memory can move at its highest clock now",
        "memory",
        "source",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_memory_busy_ratio",
        0.001,
        "Share of the memory controller's clocks in which it moved data, averaged by the controller",
        "memory",
    ),
    _gauge("edgeprof_memory_clock_hertz", 1e5, "Clock of memory now", "memory"),
    _gauge("edgeprof_memory_clock_max_hertz", 1e5, "Highest clock of memory now allowed", "memory", tier=Tier.SLOW),
    # GPUs
    _gauge(
        "edgeprof_gpu_busy_ratio",
        0.001,
        "Share of time a kernel ran, on Apple that it was on since the sample before; NVML averages over 1/6 to 1 s, "
        "AMD over a window of its firmware",
        "gpu",
    ),
    _gauge(
        "edgeprof_gpu_memory_busy_ratio",
        0.01,
        "Share of time memory was read or written, not of its bandwidth",
        "gpu",
    ),
    _gauge("edgeprof_gpu_memory_used_bytes", 65536, "Device memory in use, the driver's reserve left out", "gpu"),
    _gauge("edgeprof_gpu_memory_total_bytes", 65536, "Device memory", "gpu", tier=Tier.SLOW),
    _gauge(
        "edgeprof_gpu_host_memory_used_bytes",
        65536,
        "Host memory that the GPU's driver has given to it (AMD: GTT; Apple: in use), apart from device memory",
        "gpu",
    ),
    _gauge(
        "edgeprof_gpu_host_memory_total_bytes",
        65536,
        "Host memory that the GPU's driver may give to it (Apple: what Metal recommends as the largest working set)",
        "gpu",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_workload_gpu_memory_bytes",
        65536,
        "Device memory of the workload's processes; memory that the host shares with the GPU included",
        "gpu",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_workload_gpu_host_memory_bytes",
        65536,
        "Host memory that the GPU's driver has given to the workload's processes, apart from device memory",
        "gpu",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_workload_gpu_engine_seconds_total",
        0.001,
        "Time that an engine of the GPU worked for the workload's processes; ROCm's queues are not counted",
        "gpu",
        "engine",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_gpu_power_watts",
        0.001,
        "Power of the board, on AMD what its firmware limits, on Apple of the GPU alone; window says average "
        "(NVIDIA: 1 s) or instant",
        "gpu",
        "window",
    ),
    _gauge(
        "edgeprof_gpu_memory_power_watts",
        0.001,
        "Power of the GPU's memory, part of the board's; window as there",
        "gpu",
        "window",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_gpu_module_power_watts",
        0.001,
        "Power of the module that the GPU shares with a CPU, the GPU's board included; window as there",
        "gpu",
        "window",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_gpu_energy_joules_total",
        0.001,
        "Energy of the board since the driver was loaded; on Apple of the GPU alone, since the agent began",
        "gpu",
    ),
    _gauge("edgeprof_gpu_temperature_celsius", 0.1, "Temperature of a place on the GPU", "gpu", "place"),
    _gauge(
        "edgeprof_gpu_temperature_margin_celsius",
        1,
        "Degrees to the nearest temperature at which the GPU slows down; negative beyond it",
        "gpu",
        tier=Tier.SLOW,
    ),
    _gauge("edgeprof_gpu_clock_hertz", 1e5, "Clock of a domain now", "gpu", "domain"),
    _gauge("edgeprof_gpu_clock_max_hertz", 1e5, "Highest clock of a domain", "gpu", "domain", tier=Tier.SLOW),
    _gauge(
        "edgeprof_gpu_throttled_ratio",
        1,
        "1 while clocks are held back for a reason, else 0",
        "gpu",
        "reason",
    ),
    _counter(
        "edgeprof_gpu_throttled_seconds_total",
        0.001,
        "Time that a limiter held clocks back, by reason; limiters act at the same time, so they do not add up",
        "gpu",
        "limiter",
        "reason",
        tier=Tier.SLOW,
    ),
    _counter("edgeprof_gpu_pcie_received_bytes_total", 1, "Bytes that the GPU got by PCIe", "gpu", tier=Tier.SLOW),
    _counter("edgeprof_gpu_pcie_transmitted_bytes_total", 1, "Bytes that the GPU sent by PCIe", "gpu", tier=Tier.SLOW),
    _gauge(
        "edgeprof_gpu_pcie_bytes_per_second",
        1e3,
        "Bytes by PCIe in the second before, at most: messages, times the largest payload of one",
        "gpu",
        "direction",
        tier=Tier.SLOW,
    ),
    # The agent itself
    _gauge(
        "edgeprof_sensor_sample_seconds",
        1e-6,
        "Time that a sensor's last sample took",
        "sensor",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_sensor_up_ratio",
        1,
        "1 if a sensor's last sample succeeded, else 0",
        "sensor",
        tier=Tier.SLOW,
    ),
    _gauge("edgeprof_sensor_age_seconds", 0.001, "Time since a sensor last gave values", "sensor", tier=Tier.SLOW),
    _gauge(
        "edgeprof_sampler_lateness_seconds",
        1e-6,
        "Largest lateness of a tick since the last report",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_sampler_missed_ticks_total",
        1,
        "Ticks left out because sampling fell behind",
        tier=Tier.SLOW,
    ),
    _counter("edgeprof_agent_cpu_seconds_total", 0.01, "CPU time of the agent", tier=Tier.SLOW),
    _gauge("edgeprof_agent_resident_bytes", 4096, "Resident memory of the agent", tier=Tier.SLOW),
    _gauge(
        "edgeprof_spool_bytes",
        1,
        "Bytes that the agent's spool holds, in its file as of the last write and in memory",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_spool_max_bytes",
        1,
        "Bytes that the agent's spool may hold before it drops the least important of them",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_spool_messages",
        1,
        "Messages that the collector has not acknowledged, dropped ones included",
        tier=Tier.SLOW,
    ),
    _gauge(
        "edgeprof_spool_oldest_age_seconds",
        1,
        "How long the oldest of them has waited, counting only time in which the agent ran",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_spool_dropped_messages_total",
        1,
        "Messages that the spool dropped before the collector acknowledged them",
        "cause",
        tier=Tier.SLOW,
    ),
    _counter(
        "edgeprof_spool_set_aside_files_total",
        1,
        "Damaged spools that were set aside since the agent started",
        tier=Tier.SLOW,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}


def channel(metric: str, source: str, /, **labels: str) -> Channel:
    """Return the channel of ``metric`` with these labels.

    Raises:
        KeyError: the catalogue has no such metric.
        ValueError: the labels are not the ones that the catalogue states.
    """
    entry = METRICS[metric]
    if set(labels) != set(entry.labels):
        raise ValueError(f"{metric} has the labels {entry.labels}, not {tuple(labels)}")
    return Channel(metric, tuple(sorted(labels.items())), source, entry.resolution)
