"""What runs have found: the latest figures, and how they have changed over weeks."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import panels
from dashboards.layout import dashboard
from dashboards.panels import AnyPanel, Query, graph, table_of_labels
from dashboards.variables import some_of

_WORK = 'device=~"$device", engine=~"$engine", model=~"$model", plan=~"$plan"'
_LEGEND = "{{device}} {{engine}} {{engine_version}} {{model}} {{step}} {{variant}}"
_RUN_LEGEND = "{{device}} {{engine}} {{engine_version}} {{model}}"
_ANY = "edgeprof_run_info"


def build() -> Dashboard:
    """The dashboard."""
    return dashboard(
        "edgeprof-results",
        "edgeprof / Results",
        "Figures of the latest run of each work: a newer run of the same engine, model and plan replaces an older one.",
        [
            some_of("device", "Device", _ANY),
            some_of("engine", "Engine", _ANY),
            some_of("model", "Model", _ANY),
            some_of("plan", "Plan", _ANY),
            some_of("step", "Step", "edgeprof_result_decode_tokens_per_second"),
        ],
        [("Speed", _speed()), ("Energy and memory", _costs()), ("Trend", _trend()), ("Findings", _findings())],
        since="now-30d",
    )


def _result(name: str, *, by_step: bool = True) -> str:
    matchers = _WORK + (', step=~"$step|"' if by_step else "")
    return f"edgeprof_result_{name}{{{matchers}}}"


def _speed() -> list[AnyPanel]:
    return [
        graph("Decode rate", panels.TOKENS_PER_SECOND, Query(_result("decode_tokens_per_second"), _LEGEND)),
        graph(
            "Prefill rate",
            panels.TOKENS_PER_SECOND,
            Query(_result("prefill_tokens_per_second", by_step=False), _LEGEND),
        ),
        graph("Time to the first token", panels.SECONDS, Query(_result("ttft_seconds", by_step=False), _LEGEND)),
        graph(
            "Decode rate of sequences together",
            panels.TOKENS_PER_SECOND,
            Query(_result("aggregate_decode_tokens_per_second", by_step=False), _LEGEND),
        ),
        graph(
            "Time of a call that processes several rows",
            panels.SECONDS,
            Query(_result("call_seconds", by_step=False), f"{_LEGEND} call"),
            Query(_result("row_seconds", by_step=False), f"{_LEGEND} row"),
        ),
        graph("Gap between tokens", panels.SECONDS, Query(_result("itl_seconds"), _LEGEND)),
        graph("Time to the last token", panels.SECONDS, Query(_result("e2e_latency_seconds", by_step=False), _LEGEND)),
        graph("Time to load", panels.SECONDS, Query(_result("load_seconds", by_step=False), _RUN_LEGEND)),
    ]


def _costs() -> list[AnyPanel]:
    return [
        graph(
            "Energy of a decoded token",
            panels.JOULES_EACH,
            Query(_result("decode_energy_joules_per_token"), _LEGEND),
        ),
        graph(
            "Energy of a prompt token",
            panels.JOULES_EACH,
            Query(_result("prefill_energy_joules_per_token", by_step=False), _LEGEND),
        ),
        graph(
            "Achieved bandwidth",
            panels.BYTES_PER_SECOND,
            Query(_result("achieved_bandwidth_bytes_per_second"), _LEGEND),
        ),
        graph("MBU", panels.RATIO, Query(_result("mbu_ratio"), _LEGEND)),
        graph("Peak memory", panels.BYTES, Query(_result("peak_resident_bytes", by_step=False), _RUN_LEGEND)),
        graph("Memory left at the peak", panels.RATIO, Query(_result("headroom_ratio", by_step=False), _RUN_LEGEND)),
    ]


def _trend() -> list[AnyPanel]:
    return [
        graph(
            f"{title} against its mean of a week",
            panels.RATIO,
            Query(f"{_result(name)} / avg_over_time({_result(name)}[7d]) - 1", _LEGEND),
            description="0 % while nothing changes. A step is a new run that differs from those before it.",
        )
        for title, name in (
            ("Decode rate", "decode_tokens_per_second"),
            ("Gap between tokens", "itl_seconds"),
            ("Energy of a decoded token", "decode_energy_joules_per_token"),
            ("MBU", "mbu_ratio"),
        )
    ]


def _findings() -> list[AnyPanel]:
    return [
        table_of_labels(
            "Findings",
            "max by (device, engine, engine_version, model, quantisation, plan, finding, severity) "
            f"(edgeprof_run_finding{{{_WORK}}})",
            description="docs/findings has a page for each name.",
        )
    ]
