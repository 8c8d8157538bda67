"""Telemetry in numbers: of every channel in a panel its mean over the run, its highest value, and its growth."""

from collections.abc import Sequence

from edgeprof_collector.analysis.quantity import text_of
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.report.panels import PANELS, Panel, Treatment
from edgeprof_collector.report.telemetry_lines import Line, TimeSpan, panel_lines

NUMBER_COLUMNS = ("Quantity", "Channel", "Mean", "Highest", "In the run")
# What a rate in so many per second adds up to.
_TOTAL_UNITS = {"bytes/s": "bytes", "W": "J", "ratio": "s", "cores": "s", "per second": ""}


def telemetry_rows(series: Sequence[Series], span: TimeSpan) -> list[tuple[str, ...]]:
    """A row per channel, in the order of ``NUMBER_COLUMNS``."""
    rows: list[tuple[str, ...]] = []
    for panel in PANELS:
        for line in panel_lines(panel, (*panel.sources, *panel.beside), series, span):
            highest = line.values if line.high is None else line.high
            rows.append(
                (
                    panel.title,
                    line.label,
                    "" if _is_count(panel) else _number(line.mean, panel.unit),
                    "" if _is_count(panel) else _number(float(highest.max()), panel.unit),
                    _total(line, panel),
                )
            )
    return rows


def _is_count(panel: Panel) -> bool:
    return all(source.treatment is Treatment.GROWTH for source in panel.sources)


def _total(line: Line, panel: Panel) -> str:
    return "" if line.total is None else _number(line.total, _TOTAL_UNITS.get(panel.unit, panel.unit))


def _number(value: float, unit: str) -> str:
    """A value with its unit; a count as it is."""
    return f"{value:,.3g}" if not unit else text_of(value, unit)
