"""Two versions of an engine on the same devices, side by side.

The figures are the medians of each version's latest run. Whether a difference is more than chance, only
``edgeprof compare`` can say: it knows the repetitions.
"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import panels
from dashboards.layout import dashboard
from dashboards.panels import AnyPanel, Query, graph
from dashboards.variables import one_of, some_of

_ANY = "edgeprof_run_info"
_ANY_RESULT = 'edgeprof_result_load_seconds{engine="$engine"}'
_WORK = 'device=~"$device", engine="$engine", model=~"$model", plan=~"$plan"'
_LEGEND = "{{device}} {{model}} {{step}} {{variant}}"
_FIGURES = (
    ("Decode rate", panels.TOKENS_PER_SECOND, "decode_tokens_per_second"),
    ("Prefill rate", panels.TOKENS_PER_SECOND, "prefill_tokens_per_second"),
    ("Time to the first token", panels.SECONDS, "ttft_seconds"),
    ("Energy of a decoded token", panels.JOULES_EACH, "decode_energy_joules_per_token"),
    ("Peak memory", panels.BYTES, "peak_resident_bytes"),
    ("Time to load", panels.SECONDS, "load_seconds"),
)


def build() -> Dashboard:
    """The dashboard."""
    return dashboard(
        "edgeprof-comparison",
        "edgeprof / Comparison by version",
        "Medians of the latest run of two versions of an engine. Whether a difference is more than chance, "
        "edgeprof compare says.",
        [
            some_of("device", "Device", _ANY),
            one_of("engine", "Engine", _ANY),
            some_of("model", "Model", _ANY),
            some_of("plan", "Plan", _ANY),
            one_of("base", "Base", _ANY_RESULT, of="engine_version"),
            one_of("candidate", "Candidate", _ANY_RESULT, of="engine_version"),
        ],
        [("Change from base to candidate", _changes()), ("Both", _both())],
        since="now-7d",
    )


def _result(name: str, version: str) -> str:
    """A figure of one version, without what tells the scrapes of several collectors apart."""
    return (
        f'max without (engine_version, instance, job) (edgeprof_result_{name}{{{_WORK}, engine_version="{version}"}})'
    )


def _changes() -> list[AnyPanel]:
    return [
        graph(title, panels.RATIO, Query(f"{_result(name, '$candidate')} / {_result(name, '$base')} - 1", _LEGEND))
        for title, _, name in _FIGURES
    ]


def _both() -> list[AnyPanel]:
    return [
        graph(
            title,
            unit,
            Query(_result(name, "$base"), f"$base {_LEGEND}"),
            Query(_result(name, "$candidate"), f"$candidate {_LEGEND}"),
        )
        for title, unit, name in _FIGURES
    ]
