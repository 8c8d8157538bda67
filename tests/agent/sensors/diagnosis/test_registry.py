"""No family and no metric is forgotten."""

from edgeprof.catalogue import METRICS
from edgeprof_agent.sensors.diagnosis.registry import DIAGNOSES
from edgeprof_agent.sensors.registry import FAMILIES

# Of the agent itself: measured wherever it runs.
OWN = ("edgeprof_sensor_", "edgeprof_sampler_", "edgeprof_agent_", "edgeprof_spool_")


def test_every_family_has_a_diagnosis() -> None:
    assert [diagnosis.family for diagnosis in DIAGNOSES] == [family.name for family in FAMILIES]


def test_every_metric_belongs_to_a_family() -> None:
    diagnosed = {metric for diagnosis in DIAGNOSES for metric in diagnosis.metrics}
    assert diagnosed == {name for name in METRICS if not name.startswith(OWN)}
