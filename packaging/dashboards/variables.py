"""What a person picks at the top of a dashboard."""

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh, VariableSort

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


def datasource() -> DatasourceVariable:
    """Which Prometheus."""
    return DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def one_of(name: str, label: str, selector: str, of: str = "") -> QueryVariable:
    """One value of the label ``of``, by default that of the variable's name, among the series of ``selector``."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(f"label_values({selector}, {of or name})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def some_of(name: str, label: str, selector: str) -> QueryVariable:
    """Any number of values of a label; all of them, the empty one included, to begin with."""
    return one_of(name, label, selector).multi(multi=True).include_all(include_all=True).all_value(".*")
