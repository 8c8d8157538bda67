"""The report: one page that needs nothing but itself.

The page has no scripts, and its content security policy forbids them and every request, so that even a mistake in
escaping could not run or send anything. Names and texts from a device are escaped by the templates.
"""

from collections.abc import Sequence
from datetime import datetime, timezone

from jinja2 import Environment, PackageLoader, StrictUndefined

from edgeprof import __version__
from edgeprof.run import RunRecord, RunState
from edgeprof_collector.analysis.quantity import bytes_text, text_of
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.soundness import sound_part
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.report.batch_plots import batch_plots
from edgeprof_collector.report.cards import cards
from edgeprof_collector.report.escape import json_for_script
from edgeprof_collector.report.fact_tables import fact_tables
from edgeprof_collector.report.facts import clean, device_line, engine_line, model_line
from edgeprof_collector.report.fidelity_lines import fidelity_lines, perplexity_lines, tasks_lines
from edgeprof_collector.report.rate_plots import depth_plot, rate_plots
from edgeprof_collector.report.resources import resource_lines
from edgeprof_collector.report.rows import absent_lines, flag_lines, shown_formulas
from edgeprof_collector.report.step_tables import step_tables
from edgeprof_collector.report.telemetry_lines import time_span
from edgeprof_collector.report.telemetry_plots import phase_legend, phase_shapes, telemetry_plots, time_axis
from edgeprof_collector.report.telemetry_table import NUMBER_COLUMNS, telemetry_rows
from edgeprof_collector.report.token_plots import GAP_LEGEND, gap_plots, ttft_plots

# Leaves room for all the rest below the 5 MB that a page may have.
_MOST_TOKEN_DATA_BYTES = 3_000_000
_STATES = {
    RunState.RUNNING: "not finished",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}


def render(record: RunRecord, series: Sequence[Series], verdict: Verdict) -> str:
    """The whole page."""
    template = _environment().get_template("report.html.j2")
    sound, _ = sound_part(record)
    parts = _verdict_parts(verdict) | _table_parts(sound, verdict) | _plot_parts(sound, series, verdict)
    return template.render(parts | _data_parts(record, verdict))


def _verdict_parts(verdict: Verdict) -> dict[str, object]:
    run = (
        f"{clean(verdict.run_id)}, {_utc(verdict.wall_ns)}, plan {clean(verdict.plan_name)}, "
        f"{verdict.repetition_count} repetitions, {text_of(verdict.duration_seconds, 's')}"
    )
    return {
        "title": clean(verdict.model.name),
        "synthetic": verdict.model.synthetic,
        "headline": clean(verdict.headline),
        "state": "" if verdict.state is RunState.SUCCEEDED else _STATES[verdict.state],
        "cause": clean(verdict.cause),
        "lines": (
            ("Device", f"{clean(verdict.device.hostname)}: {device_line(verdict.device)}"),
            ("Model", f"{clean(verdict.model.name)}: {model_line(verdict.model)}"),
            ("Engine", engine_line(verdict.engine)),
            ("Run", run),
        ),
        "cards": cards(verdict),
        "resources": [(name, clean(text)) for name, text in resource_lines(verdict)],
        "findings": verdict.findings,
        "remarks": (
            ("Fidelity", fidelity_lines(verdict)),
            ("Tasks", tasks_lines(verdict)),
            ("Perplexity", perplexity_lines(verdict)),
            ("Flags", flag_lines(verdict)),
            ("Not given", absent_lines(verdict)),
            ("Notes", verdict.notes),
        ),
        "version": __version__,
    }


def _table_parts(record: RunRecord, verdict: Verdict) -> dict[str, object]:
    return {
        "step_tables": step_tables(verdict, record.started.monotonic_ns),
        "formulas": shown_formulas(verdict),
        "fact_tables": fact_tables(verdict),
    }


def _plot_parts(record: RunRecord, series: Sequence[Series], verdict: Verdict) -> dict[str, object]:
    span = time_span(record)
    depth = depth_plot(verdict)
    return {
        "rate_plots": list(rate_plots(verdict)),
        "latency_plots": [*ttft_plots(verdict), *([depth] if depth else []), *batch_plots(verdict)],
        "gap_legend": GAP_LEGEND,
        "gap_plots": list(gap_plots(record, verdict)),
        "phases": phase_shapes(record, span),
        "phase_legend": phase_legend(record),
        "time_axis": time_axis(span.seconds),
        "numbers": telemetry_rows(series, span),
        "number_columns": NUMBER_COLUMNS,
        "panels": list(telemetry_plots(series, verdict, span)),
    }


def _data_parts(record: RunRecord, verdict: Verdict) -> dict[str, object]:
    token_data = json_for_script(record.requests)
    return {
        "verdict_data": json_for_script(verdict),
        "token_data": token_data if len(token_data) <= _MOST_TOKEN_DATA_BYTES else None,
        "token_data_size": bytes_text(len(token_data)),
    }


def _utc(wall_ns: int) -> str:
    moment = datetime.fromtimestamp(wall_ns / 1e9, tz=timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("edgeprof_collector.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
