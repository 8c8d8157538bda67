"""Memory that the GPU's driver has in use, and the most that it lets be in use at one time."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import Tier, channel
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.apple.frequency_tables import gpu_clocks_hertz
from edgeprof_agent.sensors.apple.io_registry import IORegistry, Service
from edgeprof_agent.sensors.apple.mac import GPU, Mac
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_CLASS, _PROPERTY, _IN_USE = "IOAccelerator", "PerformanceStatistics", "In use system memory"
_LIMIT = "iogpu.wired_limit_mb"  # in MiB; 0 while the owner has set none
_CHILD = "edgeprof_agent.sensors.apple.metal_limit"
_CHILD_SECONDS = 5.0


def find_gpu_memory(mac: Mac) -> list[Sensor]:
    """Return the sensors of the memory in use, if the driver tells it now, and of what is constant."""
    found: list[Sensor] = []
    services = mac.registry.services(_CLASS)
    for service in services[1:]:
        service.close()
    if services:
        memory = AppleGpuMemory(mac.registry, services[0])
        if memory.read() is not None:
            found.append(memory)
        else:
            memory.close()
    constants = AppleGpuConstants(_limit_bytes(mac), max(gpu_clocks_hertz(mac.registry), default=None))
    return [*found, constants] if constants.sample() else found


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


class AppleGpuConstants:
    """The working set's limit and the highest clock. The limit can be set anew, and is read at the agent's start."""

    name = "apple_gpu_limits"
    tier = Tier.SLOW

    def __init__(self, limit: tuple[int, str] | None, highest_hertz: float | None) -> None:
        self._readings: list[Reading] = []
        if limit is not None:
            limit_bytes, source = limit
            found = channel("edgeprof_gpu_host_memory_total_bytes", source, gpu=GPU)
            self._readings.append(Reading(found, limit_bytes))
        if highest_hertz is not None:
            source = "IORegistry/AppleARMIODevice/pmgr"
            found = channel("edgeprof_gpu_clock_max_hertz", source, gpu=GPU, domain="sm")
            self._readings.append(Reading(found, highest_hertz))

    def sample(self) -> Sequence[Reading]:
        """Return the constants that are known."""
        return self._readings


def _limit_bytes(mac: Mac) -> tuple[int, str] | None:
    """Return the limit that the owner has set, or else Metal's, with the source."""
    limit_mib = mac.system.integer(_LIMIT)
    if limit_mib is not None and limit_mib > 0:
        return limit_mib << 20, f"sysctl/{_LIMIT}"
    metal_bytes = metal_limit_bytes(mac.root)
    return None if metal_bytes is None else (metal_bytes, "MTLDevice/recommendedMaxWorkingSetSize")


def metal_limit_bytes(root: Path) -> int | None:
    """Ask Metal in a process of its own: it would stay in the agent's memory."""
    command = [sys.executable, "-m", _CHILD, str(root)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_CHILD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):  # Metal hangs, or no process can be had: there is no such value
        return None
    text = done.stdout.strip()
    return int(text) or None if done.returncode == 0 and text.isdigit() else None
