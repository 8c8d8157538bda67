"""What all dashboards have in common."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, QueryVariable, Row
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from dashboards.panels import AnyPanel
from dashboards.variables import datasource

_TAG = "edgeprof"


def dashboard(
    uid: str,
    title: str,
    description: str,
    variables: Sequence[QueryVariable],
    rows: Sequence[tuple[str, Sequence[AnyPanel]]],
    *,
    since: str,
) -> Dashboard:
    """A dashboard of titled rows of panels, which shows the time from ``since`` to now."""
    links = DashboardLink("edgeprof").type(DashboardLinkType.DASHBOARDS).tags([_TAG]).include_vars(include_vars=True)
    made = (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([_TAG])
        .time(since, "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(links.keep_time(keep_time=True).as_dropdown(as_dropdown=True))
        .with_variable(datasource())
    )
    for variable in variables:
        made = made.with_variable(variable)
    for row_title, panels in rows:
        made = made.with_row(Row(row_title))
        for panel in panels:
            made = made.with_panel(panel)
    return made
