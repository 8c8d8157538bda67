"""One device: everything that it measures."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import panels
from dashboards.layout import dashboard
from dashboards.panels import AnyPanel, Query, graph
from dashboards.variables import one_of

_RATE = "$__rate_interval"


def build() -> Dashboard:
    """The dashboard."""
    return dashboard(
        "edgeprof-device",
        "edgeprof / Device",
        "Everything that one device measures. What it has no sensor for stays empty: ask edgeprof-agent doctor there.",
        [one_of("device", "Device", "edgeprof_device_connected")],
        [
            ("Processors", _processors()),
            ("Memory", _memory()),
            ("Power and heat", _power()),
            ("The workload", _workload()),
            ("Disks and networks", _disks()),
            ("The agent itself", _agent()),
        ],
        since="now-1h",
    )


def _of(metric: str, matcher: str = "") -> str:
    """The device's series of a metric."""
    return f'{metric}{{device="$device"{", " + matcher if matcher else ""}}}'


def _rate(metric: str) -> str:
    return f"rate({_of(metric)}[{_RATE}])"


def _processors() -> list[AnyPanel]:
    return [
        graph(
            "CPU busy",
            panels.RATIO,
            Query(_of("edgeprof_cpu_busy_ratio"), "all cores"),
            Query(_of("edgeprof_cpu_core_busy_ratio"), "core {{core}}"),
        ),
        graph(
            "GPU busy",
            panels.RATIO,
            Query(_of("edgeprof_gpu_busy_ratio"), "{{gpu}}"),
            Query(_of("edgeprof_gpu_memory_busy_ratio"), "{{gpu}} memory"),
        ),
        graph("CPU clocks", panels.HERTZ, Query(_of("edgeprof_cpu_frequency_hertz"), "core {{core}}")),
        graph(
            "GPU clocks",
            panels.HERTZ,
            Query(_of("edgeprof_gpu_clock_hertz"), "{{gpu}} {{domain}}"),
            Query(_of("edgeprof_gpu_clock_max_hertz"), "{{gpu}} {{domain}} highest"),
        ),
        graph(
            "Held back now",
            panels.COUNT,
            Query(_of("edgeprof_throttled_ratio"), "{{place}}: {{reason}}"),
            Query(_of("edgeprof_gpu_throttled_ratio", 'reason!="idle"'), "{{gpu}}: {{reason}}"),
        ),
        graph(
            "Share of time held back",
            panels.RATIO,
            Query(_rate("edgeprof_cpu_throttled_seconds_total"), "CPU {{package}} {{scope}}"),
            Query(_rate("edgeprof_gpu_throttled_seconds_total"), "{{gpu}} {{limiter}}"),
        ),
        graph(
            "Times held back",
            panels.PER_SECOND,
            Query(_rate("edgeprof_cpu_throttle_events_total"), "CPU {{package}} {{scope}}"),
            Query(_rate("edgeprof_overcurrent_events_total"), "supply {{event}}"),
        ),
        graph("Clocks locked", panels.COUNT, Query(_of("edgeprof_clock_locked_ratio"), "{{domain}}")),
    ]


def _memory() -> list[AnyPanel]:
    return [
        graph(
            "Memory",
            panels.BYTES,
            Query(_of("edgeprof_memory_available_bytes"), "available"),
            Query(_of("edgeprof_memory_total_bytes"), "total"),
            Query(_of("edgeprof_swap_used_bytes"), "swap in use"),
        ),
        graph(
            "GPU memory",
            panels.BYTES,
            Query(_of("edgeprof_gpu_memory_used_bytes"), "{{gpu}} used"),
            Query(_of("edgeprof_gpu_memory_total_bytes"), "{{gpu}} total"),
            Query(_of("edgeprof_gpu_host_memory_used_bytes"), "{{gpu}} of the host's"),
            Query(_of("edgeprof_gpu_host_memory_total_bytes"), "{{gpu}} of the host's, total"),
        ),
        graph(
            "Memory bandwidth",
            panels.BYTES_PER_SECOND,
            Query(_of("edgeprof_memory_bandwidth_bytes_per_second"), "{{memory}} {{direction}} ({{source}})"),
            Query(_rate("edgeprof_memory_moved_bytes_total"), "{{memory}} {{direction}} ({{source}})"),
            Query(_of("edgeprof_memory_bandwidth_peak_bytes_per_second"), "{{memory}} peak ({{source}})"),
            description="The source says how far a value can be trusted: docs/devices.md.",
        ),
        graph(
            "Memory controller",
            panels.RATIO,
            Query(_of("edgeprof_memory_busy_ratio"), "{{memory}} busy"),
        ),
        graph(
            "Memory clock",
            panels.HERTZ,
            Query(_of("edgeprof_memory_clock_hertz"), "{{memory}}"),
            Query(_of("edgeprof_memory_clock_max_hertz"), "{{memory}} highest"),
        ),
        graph(
            "Pressure and faults",
            panels.PER_SECOND,
            Query(_rate("edgeprof_pressure_seconds_total"), "{{resource}} {{share}}, seconds"),
            Query(_rate("edgeprof_major_page_faults_total"), "major page faults"),
        ),
        graph(
            "Swapping",
            panels.BYTES_PER_SECOND,
            Query(_rate("edgeprof_swap_in_bytes_total"), "in"),
            Query(_rate("edgeprof_swap_out_bytes_total"), "out"),
        ),
    ]


def _power() -> list[AnyPanel]:
    return [
        graph(
            "Power",
            panels.WATTS,
            Query(_of("edgeprof_power_total_watts"), "board ({{rails}})"),
            Query(_of("edgeprof_power_watts"), "{{chip}} {{rail}}"),
            Query(_of("edgeprof_gpu_power_watts"), "{{gpu}} {{window}}"),
            Query(_of("edgeprof_gpu_memory_power_watts"), "{{gpu}} memory {{window}}"),
            Query(_of("edgeprof_gpu_module_power_watts"), "{{gpu}} module {{window}}"),
        ),
        graph(
            "Power, from energy counters",
            panels.WATTS,
            Query(_rate("edgeprof_energy_joules_total"), "{{chip}} {{rail}}"),
            Query(_rate("edgeprof_gpu_energy_joules_total"), "{{gpu}}"),
        ),
        graph(
            "Temperatures",
            panels.CELSIUS,
            Query(_of("edgeprof_temperature_celsius"), "{{chip}} {{place}}"),
            Query(_of("edgeprof_gpu_temperature_celsius"), "{{gpu}} {{place}}"),
        ),
        graph(
            "Degrees to the GPU's slowdown",
            panels.CELSIUS,
            Query(_of("edgeprof_gpu_temperature_margin_celsius"), "{{gpu}}"),
        ),
    ]


def _workload() -> list[AnyPanel]:
    return [
        graph(
            "Memory of the run",
            panels.BYTES,
            Query(_of("edgeprof_workload_resident_bytes"), "resident"),
            Query(_of("edgeprof_workload_resident_anonymous_bytes"), "its own"),
            Query(_of("edgeprof_workload_resident_file_bytes"), "mapped files"),
            Query(_of("edgeprof_workload_resident_peak_bytes"), "peak"),
            Query(_of("edgeprof_workload_gpu_memory_bytes"), "{{gpu}}"),
            Query(_of("edgeprof_workload_gpu_host_memory_bytes"), "{{gpu}} of the host's"),
        ),
        graph(
            "Processors of the run",
            panels.COUNT,
            Query(_rate("edgeprof_workload_cpu_seconds_total"), "cores"),
            Query(_rate("edgeprof_workload_gpu_engine_seconds_total"), "{{gpu}} {{engine}}"),
            Query(_rate("edgeprof_workload_major_page_faults_total"), "major page faults a second"),
        ),
    ]


def _disks() -> list[AnyPanel]:
    return [
        graph(
            "Disks",
            panels.BYTES_PER_SECOND,
            Query(_rate("edgeprof_disk_read_bytes_total"), "{{disk}} read"),
            Query(_rate("edgeprof_disk_written_bytes_total"), "{{disk}} written"),
        ),
        graph(
            "Networks",
            panels.BYTES_PER_SECOND,
            Query(_rate("edgeprof_network_received_bytes_total"), "{{interface}} received"),
            Query(_rate("edgeprof_network_transmitted_bytes_total"), "{{interface}} sent"),
        ),
        graph(
            "PCIe",
            panels.BYTES_PER_SECOND,
            Query(_rate("edgeprof_gpu_pcie_received_bytes_total"), "{{gpu}} received"),
            Query(_rate("edgeprof_gpu_pcie_transmitted_bytes_total"), "{{gpu}} sent"),
            Query(_of("edgeprof_gpu_pcie_bytes_per_second"), "{{gpu}} {{direction}}"),
        ),
    ]


def _agent() -> list[AnyPanel]:
    return [
        graph("CPU", panels.RATIO, Query(_rate("edgeprof_agent_cpu_seconds_total"), "agent")),
        graph("Memory", panels.BYTES, Query(_of("edgeprof_agent_resident_bytes"), "agent")),
        graph(
            "Time that sensors take",
            panels.SECONDS,
            Query(_of("edgeprof_sensor_sample_seconds"), "{{sensor}}"),
            Query(_of("edgeprof_sampler_lateness_seconds"), "lateness of a tick"),
        ),
        graph(
            "Sensors that work, and ticks left out",
            panels.COUNT,
            Query(_of("edgeprof_sensor_up_ratio"), "{{sensor}}"),
            Query(_rate("edgeprof_sampler_missed_ticks_total"), "ticks left out a second"),
        ),
        graph("Age of values", panels.SECONDS, Query(_of("edgeprof_sensor_age_seconds"), "{{sensor}}")),
        graph(
            "Spool",
            panels.BYTES,
            Query(_of("edgeprof_spool_bytes"), "in use"),
            Query(_of("edgeprof_spool_max_bytes"), "at most"),
        ),
        graph(
            "What waits",
            panels.SECONDS,
            Query(_of("edgeprof_spool_oldest_age_seconds"), "age of the oldest message"),
        ),
        graph(
            "Messages",
            panels.COUNT,
            Query(_of("edgeprof_spool_messages"), "waiting"),
            Query(_of("edgeprof_spool_dropped_messages_total"), "dropped: {{cause}}"),
            Query(_of("edgeprof_spool_set_aside_files_total"), "damaged spools"),
            Query(_of("edgeprof_device_lost_messages_total"), "never arrived"),
        ),
    ]
