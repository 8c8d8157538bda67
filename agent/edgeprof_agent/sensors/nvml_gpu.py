"""A sensor of one NVIDIA GPU."""

from collections.abc import Sequence

import pynvml

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.nvml_queries import Query
from edgeprof_agent.sensors.nvml_session import Handle, NvmlDevice, means_lost
from edgeprof_agent.sensors.sensor import SensorLostError

WORKER = "nvml"  # the one thread that calls NVML while sampling


class NvmlGpu:
    """Some queries of one GPU. A GPU or driver that went away is looked for again at the next sample."""

    worker = WORKER

    def __init__(self, name: str, tier: Tier, device: NvmlDevice, queries: Sequence[Query]) -> None:
        self.name = name
        self.tier = tier
        self._device = device
        self._queries = queries

    def sample(self) -> Sequence[Reading]:
        """Return the readings of every query that is answered; none of a GPU that sleeps."""
        if self._device.is_asleep():
            return ()
        handle = self._device.handle()
        readings = [reading for query in self._queries for reading in self._ask(query, handle)]
        if not readings:
            self._device.close()
            raise SensorLostError("the GPU answers no query any more")
        return readings

    def close(self) -> None:
        """End NVML."""
        self._device.close()

    def _ask(self, query: Query, handle: Handle) -> Sequence[Reading]:
        try:
            return query(handle)
        except pynvml.NVMLError as error:
            if means_lost(error):
                raise self._device.lost(error) from error
            return ()  # this query alone has no answer now
