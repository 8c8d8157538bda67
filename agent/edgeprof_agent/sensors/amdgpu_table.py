"""The part of an AMD GPU that its firmware's table gives."""

from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.amdgpu_metrics import GpuMetrics, parse_gpu_metrics
from edgeprof_agent.sensors.kernel_file import KernelFile

# A rate in 16 bits is right only while it does not overflow, so it is not called a hardware_counter without more.
_BANDWIDTH_SOURCE = "hardware_counter_16_bit"


class FirmwareTable:
    """``gpu_metrics``. The driver asks the firmware at most every few milliseconds."""

    is_counted = False

    def __init__(self, gpu: str, path: Path, source: str, *, with_memory_busy: bool) -> None:
        self._file = KernelFile(path)
        self._gpu = gpu
        self._source = source
        self._with_memory_busy = with_memory_busy
        self._last_residencies: dict[str, int] = {}

    def read(self) -> list[Reading]:
        """Return what the table has; nothing if it cannot be read or is not understood."""
        try:
            metrics = parse_gpu_metrics(self._file.read(4096))
        except OSError:  # a card that has just gone to sleep, or is gone
            return []
        return [] if metrics is None else [*self._values(metrics), *self._limits(metrics), *self._bandwidth(metrics)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _values(self, metrics: GpuMetrics) -> list[Reading]:
        readings = []
        if self._with_memory_busy and metrics.memory_busy_ratio is not None:
            busy = channel("edgeprof_gpu_memory_busy_ratio", self._source, gpu=self._gpu)
            readings.append(Reading(busy, metrics.memory_busy_ratio))
        if metrics.energy_joules is not None:
            energy = channel("edgeprof_gpu_energy_joules_total", self._source, gpu=self._gpu)
            readings.append(Reading(energy, metrics.energy_joules))
        for rail, watts in metrics.powers_watts.items():
            power = channel("edgeprof_power_watts", self._source, chip=self._gpu, rail=rail)
            readings.append(Reading(power, watts))
        return readings

    def _limits(self, metrics: GpuMetrics) -> list[Reading]:
        throttled = {**metrics.throttled, **self._grown(dict(metrics.residencies))}
        return [
            Reading(channel("edgeprof_gpu_throttled_ratio", self._source, gpu=self._gpu, reason=reason), float(holds))
            for reason, holds in throttled.items()
        ]

    def _grown(self, residencies: dict[str, int]) -> dict[str, bool]:
        """Say for each reason whether one of its limiters has held since the sample before."""
        last, self._last_residencies = self._last_residencies, residencies
        grown: dict[str, bool] = {}
        for name in last.keys() & residencies.keys():
            reason = name.split()[0]
            grown[reason] = grown.get(reason, False) or residencies[name] != last[name]
        return dict(sorted(grown.items()))

    def _bandwidth(self, metrics: GpuMetrics) -> list[Reading]:
        """Return the traffic of memory that an APU shares with its CPU, so that it is the system's."""
        rates = {"read": metrics.dram_read_bytes_per_second, "write": metrics.dram_write_bytes_per_second}
        return [
            Reading(
                channel(
                    "edgeprof_memory_bandwidth_bytes_per_second",
                    self._source,
                    direction=direction,
                    memory="system",
                    source=_BANDWIDTH_SOURCE,
                ),
                rate,
            )
            for direction, rate in rates.items()
            if rate is not None
        ]
