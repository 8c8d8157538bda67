"""The sampler at the rates of the device's configuration, whoever sets its cadence."""

from collections.abc import Mapping
from dataclasses import replace

from edgeprof.telemetry import Channel
from edgeprof_agent.config import SamplingConfig
from edgeprof_agent.sampling.cadence import Cadence
from edgeprof_agent.workload.environment import RunSampler

_SHORTEST_FRAME_SECONDS = 1.0
_LONGEST_FRAME_SECONDS = 600.0


class ConfiguredSampler:
    """What a run sees of the sampler. A run says that it begins and ends; the configuration says how often."""

    def __init__(self, sampler: RunSampler, config: SamplingConfig) -> None:
        self._sampler = sampler
        self._config = config
        self._frame_seconds = config.idle_frame_seconds
        self._run_id = ""
        self._sampler.set_cadence(self._idle())

    def set_cadence(self, cadence: Cadence) -> None:
        """Sample for the run that the cadence names, or idly."""
        self._run_id = cadence.run_id
        if cadence.run_id:
            cadence = replace(cadence, fast_hertz=self._config.fast_hertz, slow_hertz=self._config.slow_hertz)
        self._sampler.set_cadence(cadence if cadence.run_id else self._idle())

    def set_idle_frame_seconds(self, seconds: float) -> None:
        """Let idle frames last this long while somebody watches; 0 for as long as the configuration says."""
        self._frame_seconds = (
            min(max(seconds, 1.0), _LONGEST_FRAME_SECONDS) if seconds else self._config.idle_frame_seconds
        )
        if not self._run_id:
            self._sampler.set_cadence(self._idle())

    def follow_process(self, pid: int | None) -> None:
        """Have the workload's sensors read this process and its descendants."""
        self._sampler.follow_process(pid)

    def latest(self) -> Mapping[Channel, float]:
        """Return the last value of each channel."""
        return self._sampler.latest()

    def flush(self) -> None:
        """Close the open frame, and return when it has been handed over."""
        self._sampler.flush()

    def _idle(self) -> Cadence:
        hertz = self._config.idle_hertz
        return Cadence(fast_hertz=hertz, slow_hertz=hertz, frame_seconds=self._frame_seconds)
