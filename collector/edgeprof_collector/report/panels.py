"""Which telemetry the page shows, and how: one panel per quantity."""

from dataclasses import dataclass
from enum import Enum


class Treatment(Enum):
    """How the channels of a metric become lines."""

    VALUE = "each as it is"
    RATE = "each by its increase per second"
    GROWTH = "each by its increase since the run began"
    SPREAD = "all together, by their mean and their range"


@dataclass(frozen=True, slots=True)
class Source:
    """A metric in a panel. Its lines are called ``label`` and the values of ``labels``, or of all labels.

    Channels with one of ``left_out`` among their labels' values are not shown.
    """

    metric: str
    label: str = ""
    treatment: Treatment = Treatment.VALUE
    labels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity in one unit. ``unit`` is one that ``quantity.py`` scales, or is shown as it is.

    ``beside`` is drawn as limits, and only where ``sources`` have lines. A ``quiet`` panel leaves out lines that stay
    at 0, so that it appears when something happens.
    """

    title: str
    unit: str
    sources: tuple[Source, ...]
    from_zero: bool = True
    beside: tuple[Source, ...] = ()
    quiet: bool = False


MEMORY_TRAFFIC = Panel(
    "Memory traffic",
    "bytes/s",
    (
        Source("edgeprof_memory_moved_bytes_total", "", Treatment.RATE, ("memory", "direction", "source")),
        Source("edgeprof_memory_bandwidth_bytes_per_second", labels=("memory", "direction", "source")),
    ),
    beside=(Source("edgeprof_memory_bandwidth_peak_bytes_per_second", "peak of", labels=("memory", "source")),),
)

_HOST = (
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
)

_HEAT_AND_POWER = (
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
            Source("edgeprof_energy_joules_total", "", Treatment.RATE),
            Source("edgeprof_gpu_power_watts"),
            Source("edgeprof_gpu_module_power_watts", "module of"),
            Source("edgeprof_gpu_energy_joules_total", "energy counter of", Treatment.RATE),
        ),
    ),
    Panel(
        "Power of rails",
        "W",
        (
            Source("edgeprof_power_watts"),
            Source("edgeprof_gpu_memory_power_watts", "memory of"),
        ),
    ),
    Panel(
        "Held back, share of time by limiter",
        "ratio",
        (
            Source("edgeprof_gpu_throttled_seconds_total", "", Treatment.RATE, ("gpu", "reason", "limiter")),
            Source("edgeprof_cpu_throttled_seconds_total", "heat, CPU package", Treatment.RATE),
        ),
        quiet=True,
    ),
    Panel(
        "Held back, 1 while it is",
        "",
        (
            Source("edgeprof_throttled_ratio"),
            Source("edgeprof_gpu_throttled_ratio", labels=("gpu", "reason"), left_out=("idle",)),
        ),
        quiet=True,
    ),
    Panel(
        "Throttle events and supply alarms since the run began",
        "",
        (
            Source("edgeprof_cpu_throttle_events_total", "heat, CPU package", Treatment.GROWTH),
            Source("edgeprof_overcurrent_events_total", "supply alarm", Treatment.GROWTH),
        ),
        quiet=True,
    ),
)

_MEMORY = (
    MEMORY_TRAFFIC,
    Panel("Memory controller, share of clocks busy", "ratio", (Source("edgeprof_memory_busy_ratio"),)),
    Panel("Memory clock", "hertz", (Source("edgeprof_memory_clock_hertz"),)),
    Panel(
        "Memory of the workload",
        "bytes",
        (
            Source("edgeprof_workload_resident_bytes", "resident"),
            Source("edgeprof_workload_resident_anonymous_bytes", "of it its own"),
            Source("edgeprof_workload_resident_file_bytes", "of it mapped files"),
        ),
    ),
    Panel("Memory available", "bytes", (Source("edgeprof_memory_available_bytes", "to programs"),)),
    Panel("Swap in use", "bytes", (Source("edgeprof_swap_used_bytes", "swap"),), quiet=True),
    Panel(
        "Swap traffic",
        "bytes/s",
        (
            Source("edgeprof_swap_in_bytes_total", "in", Treatment.RATE),
            Source("edgeprof_swap_out_bytes_total", "out", Treatment.RATE),
        ),
        quiet=True,
    ),
    Panel(
        "Page faults that waited for a disk",
        "per second",
        (
            Source("edgeprof_major_page_faults_total", "all processes", Treatment.RATE),
            Source("edgeprof_workload_major_page_faults_total", "workload", Treatment.RATE),
        ),
        quiet=True,
    ),
    Panel(
        "Pressure: share of time in which tasks waited",
        "ratio",
        (Source("edgeprof_pressure_seconds_total", "", Treatment.RATE, ("resource", "share")),),
        quiet=True,
    ),
)

_GPU = (
    Panel(
        "GPU, share of time busy",
        "ratio",
        (
            Source("edgeprof_gpu_busy_ratio"),
            Source("edgeprof_gpu_memory_busy_ratio", "memory of"),
            Source("edgeprof_workload_gpu_engine_seconds_total", "workload on", Treatment.RATE, ("gpu", "engine")),
        ),
    ),
    Panel(
        "GPU memory",
        "bytes",
        (
            Source("edgeprof_gpu_memory_used_bytes", "in use on"),
            Source("edgeprof_workload_gpu_memory_bytes", "of the workload on"),
            Source("edgeprof_workload_gpu_host_memory_bytes", "the workload's on the host for"),
            Source("edgeprof_gpu_host_memory_used_bytes", "in use on the host for"),
        ),
    ),
    Panel("GPU clock", "hertz", (Source("edgeprof_gpu_clock_hertz", labels=("gpu", "domain")),)),
    Panel(
        "PCIe",
        "bytes/s",
        (
            Source("edgeprof_gpu_pcie_received_bytes_total", "received by", Treatment.RATE),
            Source("edgeprof_gpu_pcie_transmitted_bytes_total", "sent by", Treatment.RATE),
            Source("edgeprof_gpu_pcie_bytes_per_second", "at most", labels=("direction", "gpu")),
        ),
    ),
)

PANELS = (
    *_HOST,
    *_HEAT_AND_POWER,
    *_MEMORY,
    *_GPU,
    Panel(
        "Disks",
        "bytes/s",
        (
            Source("edgeprof_disk_read_bytes_total", "read from", Treatment.RATE),
            Source("edgeprof_disk_written_bytes_total", "written to", Treatment.RATE),
        ),
        quiet=True,
    ),
)
