"""What does not change while a Mac runs: the working set's limit, the GPU's highest clock, the specified bandwidth."""

from collections.abc import Iterator, Sequence

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.apple.chips import specified_bytes_per_second
from edgeprof_agent.sensors.apple.frequency_tables import gpu_clocks_hertz
from edgeprof_agent.sensors.apple.identity import chip_name, gpu_product
from edgeprof_agent.sensors.apple.mac import GPU, Mac
from edgeprof_agent.sensors.apple.working_set import working_set_limit


def find_constants(mac: Mac) -> "AppleConstants | None":
    """Return the sensor if any of them is told."""
    readings = tuple(_readings(mac))
    return AppleConstants(readings) if readings else None


class AppleConstants:
    """They are read once. The working set's limit can be set anew; the agent then wants a new start."""

    name = "apple_constants"
    tier = Tier.SLOW

    def __init__(self, readings: tuple[Reading, ...]) -> None:
        self._readings = readings

    def sample(self) -> Sequence[Reading]:
        """Return those that are told."""
        return self._readings


def _readings(mac: Mac) -> Iterator[Reading]:
    limit = working_set_limit(mac)
    if limit is not None:
        limit_bytes, source = limit
        yield Reading(channel("edgeprof_gpu_host_memory_total_bytes", source, gpu=GPU), limit_bytes)
    clocks_hertz = gpu_clocks_hertz(mac.registry)
    if clocks_hertz:
        source = "IORegistry/AppleARMIODevice/pmgr"
        yield Reading(channel("edgeprof_gpu_clock_max_hertz", source, gpu=GPU, domain="sm"), max(clocks_hertz))
    chip = chip_name(mac.system)
    peak = None if chip is None else specified_bytes_per_second(chip, gpu_product(mac, chip))
    if peak is not None:
        source = "sysctl/machdep.cpu.brand_string"
        found = channel("edgeprof_memory_bandwidth_peak_bytes_per_second", source, memory="system", source="specified")
        yield Reading(found, peak)
