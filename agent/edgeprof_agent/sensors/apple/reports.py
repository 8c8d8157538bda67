"""The sensors that IOReport feeds, and why one of them may be missing."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from edgeprof_agent.sensors.apple.c_library import LibraryMissingError
from edgeprof_agent.sensors.apple.energy import open_energy
from edgeprof_agent.sensors.apple.io_report import IOReport, ReportUnavailableError
from edgeprof_agent.sensors.apple.mac import Mac
from edgeprof_agent.sensors.apple.memory_traffic import open_memory_traffic
from edgeprof_agent.sensors.apple.performance_states import open_cores, open_gpu
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError


class Part(str, Enum):
    """What a subscription to one group of channels gives."""

    ENERGY = "energy"
    GPU = "gpu"
    CORES = "cores"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Reports:
    """The sensors that there are, and for each part that has none the reason."""

    sensors: dict[Part, Sensor]
    reasons: dict[Part, str]


def open_reports(mac: Mac) -> Reports:
    """Subscribe to each part. One that macOS has renamed, removed or refuses costs no other."""
    reports = Reports({}, {})
    try:
        report = IOReport(mac.root, mac.core_foundation, mac.system)
    except LibraryMissingError as error:
        reports.reasons.update(dict.fromkeys(Part, str(error)))
        return reports
    openers: dict[Part, Callable[[], Sensor]] = {
        Part.ENERGY: lambda: open_energy(report),
        Part.GPU: lambda: open_gpu(report, mac.registry),
        Part.CORES: lambda: open_cores(report, mac.registry),
        Part.MEMORY: lambda: open_memory_traffic(report),
    }
    for part, open_part in openers.items():
        try:
            reports.sensors[part] = open_part()
        except (ReportUnavailableError, SensorLostError) as error:  # noqa: PERF203  four at most, once
            reports.reasons[part] = str(error)
    return reports
