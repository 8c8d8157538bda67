"""All sensors of a Mac with Apple Silicon."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof_agent.sensors.apple.constants import find_constants
from edgeprof_agent.sensors.apple.gpu_memory import find_gpu_memory
from edgeprof_agent.sensors.apple.mac import find_mac
from edgeprof_agent.sensors.apple.power_metrics import find_power_metrics
from edgeprof_agent.sensors.apple.reports import open_reports
from edgeprof_agent.sensors.apple.temperatures import find_temperatures
from edgeprof_agent.sensors.apple.thermal_pressure import find_thermal_pressure
from edgeprof_agent.sensors.sensor import Sensor


def discover_mac(root: Path) -> Sequence[Sensor]:
    """Return the sensors that give values. Root's powermetrics stands in for what IOReport does not give."""
    mac = find_mac(root)
    if mac is None:
        return ()
    reports = open_reports(mac)
    found: list[Sensor | None] = [
        *reports.sensors.values(),
        find_gpu_memory(mac),
        find_constants(mac),
        *find_temperatures(mac),
        find_thermal_pressure(mac.system),
        find_power_metrics(root, frozenset(reports.reasons)),
    ]
    return [sensor for sensor in found if sensor is not None]
