"""Which telemetry the page shows, and how: one panel per quantity."""

from dataclasses import dataclass
from enum import Enum


class Treatment(Enum):
    """How the channels of a metric become lines."""

    VALUE = "each as it is"
    RATE = "each by its increase per second"
    SPREAD = "all together, by their mean and their range"


@dataclass(frozen=True, slots=True)
class Source:
    """A metric in a panel. Its lines are called ``label`` and the values of the channel's labels."""

    metric: str
    label: str = ""
    treatment: Treatment = Treatment.VALUE


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity in one unit. ``unit`` is one that ``quantity.py`` scales, or is shown as it is."""

    title: str
    unit: str
    sources: tuple[Source, ...]
    from_zero: bool = True


PANELS = (
    Panel("CPU, share of all cores' time", "ratio", (Source("edgeprof_cpu_busy_ratio", "all processes"),)),
    Panel(
        "CPU time of the workload and of the agent",
        "cores",
        (
            Source("edgeprof_workload_cpu_seconds_total", "workload", Treatment.RATE),
            Source("edgeprof_agent_cpu_seconds_total", "agent", Treatment.RATE),
        ),
    ),
    Panel("CPU clock", "hertz", (Source("edgeprof_cpu_frequency_hertz", "mean of the cores", Treatment.SPREAD),)),
    Panel(
        "Temperature",
        "°C",
        (Source("edgeprof_temperature_celsius"), Source("edgeprof_gpu_temperature_celsius")),
        from_zero=False,
    ),
    Panel(
        "Power",
        "W",
        (
            Source("edgeprof_power_total_watts", "total of"),
            Source("edgeprof_power_watts"),
            Source("edgeprof_energy_joules_total", "", Treatment.RATE),
            Source("edgeprof_gpu_power_watts"),
        ),
    ),
    Panel("Memory bandwidth", "bytes/s", (Source("edgeprof_memory_bandwidth_bytes_per_second"),)),
    Panel(
        "Memory of the workload",
        "bytes",
        (
            Source("edgeprof_workload_resident_bytes", "resident"),
            Source("edgeprof_workload_resident_anonymous_bytes", "of it its own"),
            Source("edgeprof_workload_resident_file_bytes", "of it mapped files"),
        ),
    ),
    Panel(
        "Memory of the device",
        "bytes",
        (Source("edgeprof_memory_available_bytes", "available"), Source("edgeprof_swap_used_bytes", "swap in use")),
    ),
    Panel(
        "GPU, share of time busy",
        "ratio",
        (Source("edgeprof_gpu_busy_ratio"), Source("edgeprof_gpu_memory_busy_ratio", "memory of")),
    ),
    Panel("GPU memory in use", "bytes", (Source("edgeprof_gpu_memory_used_bytes"),)),
    Panel("GPU clock", "hertz", (Source("edgeprof_gpu_clock_hertz"),)),
    Panel(
        "Held back, 1 while it is",
        "",
        (Source("edgeprof_throttled_ratio"), Source("edgeprof_gpu_throttled_ratio")),
    ),
    Panel(
        "Swap traffic",
        "bytes/s",
        (
            Source("edgeprof_swap_in_bytes_total", "in", Treatment.RATE),
            Source("edgeprof_swap_out_bytes_total", "out", Treatment.RATE),
        ),
    ),
    Panel(
        "Disks",
        "bytes/s",
        (
            Source("edgeprof_disk_read_bytes_total", "read from", Treatment.RATE),
            Source("edgeprof_disk_written_bytes_total", "written to", Treatment.RATE),
        ),
    ),
)
