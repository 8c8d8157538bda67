"""The kinds of panels that the dashboards are made of."""

from dataclasses import dataclass
from typing import TypeAlias

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, SortOrder, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.variables import DATASOURCE

AnyPanel: TypeAlias = timeseries.Panel | stat.Panel | table.Panel

# Grafana's names of units.
BYTES = "bytes"
BYTES_PER_SECOND = "Bps"
CELSIUS = "celsius"
COUNT = "none"
HERTZ = "hertz"
PER_SECOND = "cps"
RATIO = "percentunit"
SECONDS = "s"
WATTS = "watt"
JOULES_EACH = "suffix: J/token"
TOKENS_PER_SECOND = "suffix: tokens/s"

_HEIGHT = 8
_NUMBER_HEIGHT = 4
# Grafana's grid is 24 columns wide.
HALF, WHOLE = 12, 24

# A series that is absent for longer than this is a gap in the line: several scrapes of the usual 15 s.
_GAP_MILLISECONDS = 90_000.0


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and what each of its series is called: ``{{label}}`` stands for a label's value."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its title, its unit, and what it shows of each row."""

    title: str
    unit: str
    expression: str


def graph(title: str, unit: str, *queries: Query, description: str = "", span: int = HALF) -> timeseries.Panel:
    """Lines over time, one for each series."""
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
        .calcs(["lastNotNull", "max"])
    )
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .height(_HEIGHT)
        .span(span)
        .span_nulls(_GAP_MILLISECONDS)
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    for query, ref_id in zip(queries, "ABCDEFGH", strict=False):
        target = prometheus.Dataquery().range().expr(query.expression).legend_format(query.legend).ref_id(ref_id)
        panel = panel.with_target(target)
    return panel


def number(title: str, unit: str, expression: str, *, bad_from: float | None = None, span: int = 4) -> stat.Panel:
    """One value of now; red from ``bad_from`` on."""
    steps = [Threshold(value=None, color="green")]
    if bad_from is not None:
        steps.append(Threshold(value=bad_from, color="red"))
    return (
        stat.Panel()
        .title(title)
        .datasource(DATASOURCE)
        .unit(unit)
        .height(_NUMBER_HEIGHT)
        .span(span)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(prometheus.Dataquery().instant().expr(expression).ref_id("A"))
    )


def table_of(title: str, key: str, *columns: Column, description: str = "", span: int = WHOLE) -> table.Panel:
    """A row for each value of the label ``key``, which is all that the columns' series are told apart by."""
    panel = _table(title, description, span)
    names = {}
    for column, ref_id in zip(columns, "ABCDEFGHIJKL", strict=False):
        panel = panel.with_target(_table_target(column.expression, ref_id))
        names[f"Value #{ref_id}"] = column.title
        panel = panel.override_by_name(column.title, [DynamicConfigValue(id_val="unit", value=column.unit)])
    return panel.with_transformation(_transformation("joinByField", byField=key, mode="outer")).with_transformation(
        _transformation("organize", renameByName=names, excludeByName=_times(len(columns)))
    )


def table_of_labels(title: str, expression: str, *, description: str = "", span: int = WHOLE) -> table.Panel:
    """A row for each series, a column for each of its labels."""
    return (
        _table(title, description, span)
        .with_target(_table_target(expression, "A"))
        .with_transformation(_transformation("organize", excludeByName={"Time": True, "Value": True}))
    )


def _table(title: str, description: str, span: int) -> table.Panel:
    return table.Panel().title(title).description(description).datasource(DATASOURCE).height(_HEIGHT).span(span)


def _table_target(expression: str, ref_id: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().instant().expr(expression).format(PromQueryFormat.TABLE).ref_id(ref_id)


def _transformation(name: str, **options: object) -> DataTransformerConfig:
    return DataTransformerConfig(id_val=name, options=options)


def _times(columns: int) -> dict[str, bool]:
    """The time of each query: a join numbers those after the first."""
    return {"Time": True} | {f"Time {number}": True for number in range(1, columns + 1)}
