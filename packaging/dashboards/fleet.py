"""Every device at a glance, and the collector that they stream to."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import panels
from dashboards.layout import dashboard
from dashboards.panels import AnyPanel, Column, Query, graph, number, table_of, table_of_labels
from dashboards.variables import some_of

_DEVICES = 'device=~"$device"'
_HOTTEST = (
    f'max by (device) ({{__name__=~"edgeprof_temperature_celsius|edgeprof_gpu_temperature_celsius", {_DEVICES}}})'
)
# NVML counts an idle GPU's low clocks as held back.
_HELD_BACK = (
    f'max by (device) (edgeprof_throttled_ratio{{{_DEVICES}}} or edgeprof_gpu_throttled_ratio{{reason!="idle", '
    f"{_DEVICES}}})"
)
_MEMORY = f"min by (device) (edgeprof_memory_available_bytes{{{_DEVICES}}} / edgeprof_memory_total_bytes{{{_DEVICES}}})"
_SPOOL = f"max by (device) (edgeprof_spool_bytes{{{_DEVICES}}} / edgeprof_spool_max_bytes{{{_DEVICES}}})"
_LAST_SEEN = f"time() - max by (device) (edgeprof_device_last_seen_timestamp_seconds{{{_DEVICES}}})"
_CONNECTED = f"max by (device) (edgeprof_device_connected{{{_DEVICES}}})"
_LOST = f"sum by (device) (edgeprof_device_lost_messages_total{{{_DEVICES}}})"
_POWER = f"max by (device) (edgeprof_power_total_watts{{{_DEVICES}}})"
_COMMIT = "edgeprof_collector_commit_seconds_bucket"
_GPU_POWER = f"sum by (device) (max by (device, gpu) (edgeprof_gpu_power_watts{{{_DEVICES}}}))"


def build() -> Dashboard:
    """The dashboard."""
    return dashboard(
        "edgeprof-fleet",
        "edgeprof / Fleet",
        "Which devices are there, and which of them need somebody.",
        [some_of("device", "Device", "edgeprof_device_connected")],
        [("Devices", _devices()), ("Load and heat", _load()), ("Collector", _collector())],
        since="now-6h",
    )


def _devices() -> list[AnyPanel]:
    return [
        number("Connected", panels.COUNT, f"sum({_CONNECTED})"),
        number("Gone", panels.COUNT, f"sum(1 - {_CONNECTED})", bad_from=1),
        number("Held back", panels.COUNT, f"sum({_HELD_BACK})", bad_from=1),
        number("Hottest place", panels.CELSIUS, f"max({_HOTTEST})", bad_from=95),
        number("Fullest spool", panels.RATIO, f"max({_SPOOL})", bad_from=0.8),
        number("Messages lost", panels.COUNT, f"sum({_LOST})", bad_from=1),
        table_of(
            "Devices",
            "device",
            Column("connected", panels.COUNT, _CONNECTED),
            Column("last seen", panels.SECONDS, _LAST_SEEN),
            Column("CPU busy", panels.RATIO, f"max by (device) (edgeprof_cpu_busy_ratio{{{_DEVICES}}})"),
            Column("GPU busy", panels.RATIO, f"max by (device) (edgeprof_gpu_busy_ratio{{{_DEVICES}}})"),
            Column("memory left", panels.RATIO, _MEMORY),
            Column("hottest place", panels.CELSIUS, _HOTTEST),
            Column("power", panels.WATTS, f"{_POWER} or {_GPU_POWER}"),
            Column("held back", panels.COUNT, _HELD_BACK),
            Column("spool", panels.RATIO, _SPOOL),
            Column("messages lost", panels.COUNT, _LOST),
        ),
        table_of_labels(
            "Latest runs",
            f"max by (device, engine, engine_version, model, plan, run, state) (edgeprof_run_info{{{_DEVICES}}})",
            span=panels.HALF,
        ),
        table_of_labels(
            "Findings of the latest runs",
            "max by (device, engine, engine_version, model, plan, finding, severity) "
            f"(edgeprof_run_finding{{{_DEVICES}}})",
            description="docs/findings has a page for each name.",
            span=panels.HALF,
        ),
    ]


def _load() -> list[AnyPanel]:
    return [
        graph(
            "CPU busy", panels.RATIO, Query(f"max by (device) (edgeprof_cpu_busy_ratio{{{_DEVICES}}})", "{{device}}")
        ),
        graph(
            "GPU busy",
            panels.RATIO,
            Query(f"max by (device, gpu) (edgeprof_gpu_busy_ratio{{{_DEVICES}}})", "{{device}} {{gpu}}"),
        ),
        graph("Hottest place", panels.CELSIUS, Query(_HOTTEST, "{{device}}")),
        graph(
            "Power",
            panels.WATTS,
            Query(_POWER, "{{device}} board"),
            Query(_GPU_POWER, "{{device}} GPUs"),
            description="Totals of different boards hold different rails: the device's dashboard names them.",
        ),
        graph("Memory left", panels.RATIO, Query(_MEMORY, "{{device}}")),
        graph("Spool in use", panels.RATIO, Query(_SPOOL, "{{device}}")),
    ]


def _collector() -> list[AnyPanel]:
    rate = "$__rate_interval"
    return [
        graph(
            "Messages and frames",
            panels.PER_SECOND,
            Query(f"sum by (instance) (rate(edgeprof_collector_messages_total[{rate}]))", "messages {{instance}}"),
            Query(f"sum by (instance) (rate(edgeprof_collector_frames_total[{rate}]))", "frames {{instance}}"),
        ),
        graph(
            "Time to commit",
            panels.SECONDS,
            *(
                Query(f"histogram_quantile({share}, sum by (le) (rate({_COMMIT}[{rate}])))", name)
                for share, name in ((0.5, "median"), (0.99, "99 %"))
            ),
        ),
        graph(
            "Not as it should be",
            panels.COUNT,
            Query("sum by (thing) (edgeprof_collector_refusals_total)", "{{thing}} refused"),
            Query("sum(edgeprof_collector_bad_frames_total)", "frames that cannot be read"),
            Query("sum(edgeprof_collector_gaps_total)", "gaps"),
            description="Counted since the collector started.",
        ),
        graph(
            "Remote write: age of what waits",
            panels.SECONDS,
            Query("max by (destination) (edgeprof_collector_remote_write_lag_seconds)", "{{destination}}"),
        ),
        graph("CPU", panels.RATIO, Query(f"rate(process_cpu_seconds_total[{rate}])", "{{instance}}")),
        graph("Memory", panels.BYTES, Query("process_resident_memory_bytes", "{{instance}}")),
    ]
