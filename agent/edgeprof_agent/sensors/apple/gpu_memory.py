"""Memory that the GPU's driver has in use."""

from collections.abc import Sequence

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.apple.io_registry import IORegistry, Service
from edgeprof_agent.sensors.apple.mac import GPU, Mac
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_CLASS, _PROPERTY, _IN_USE = "IOAccelerator", "PerformanceStatistics", "In use system memory"


def find_gpu_memory(mac: Mac) -> Sensor | None:
    """Return the sensor if the driver tells the memory in use now."""
    services = mac.registry.services(_CLASS)
    for service in services[1:]:
        service.close()
    if not services:
        return None
    sensor = AppleGpuMemory(mac.registry, services[0])
    if sensor.read() is not None:
        return sensor
    sensor.close()
    return None


class AppleGpuMemory:
    """The driver's "In use system memory": bytes of the host's memory, of all programs."""

    name = "apple_gpu_memory"
    tier = Tier.FAST
    worker = "ioregistry"

    def __init__(self, registry: IORegistry, service: Service) -> None:
        self._registry = registry
        self._service = service
        source = f"IORegistry/{_CLASS}/{_PROPERTY}/{_IN_USE}"
        self._used = channel("edgeprof_gpu_host_memory_used_bytes", source, gpu=GPU)

    def sample(self) -> Sequence[Reading]:
        """Return the memory in use."""
        used_bytes = self.read()
        if used_bytes is None:
            raise SensorLostError("the GPU's driver tells no memory in use any more")
        return (Reading(self._used, used_bytes),)

    def read(self) -> int | None:
        """Return the bytes in use; ``None`` if the driver does not tell."""
        core_foundation = self._registry.core_foundation
        with self._service.property(_PROPERTY) as statistics:
            used_bytes = core_foundation.integer(core_foundation.value(statistics, _IN_USE))
        return used_bytes if used_bytes is not None and used_bytes >= 0 else None

    def close(self) -> None:
        """Let go of the driver's entry."""
        self._service.close()
