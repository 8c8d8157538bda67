"""What IOReport does not give, by Apple's program powermetrics, which only root may run."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.apple.energy import rail_channels
from edgeprof_agent.sensors.apple.mac import GPU
from edgeprof_agent.sensors.apple.power_metrics_plist import PowerMetrics, parse_power_metrics
from edgeprof_agent.sensors.apple.reports import Part
from edgeprof_agent.sensors.line_process import LineProcess, LineProcessError
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

_PLACE = "usr/bin/powermetrics"
_SOURCE = f"/{_PLACE}"
_OPTIONS = ("--samplers", "cpu_power,gpu_power", "--sample-rate", "1000", "--format", "plist", "--buffer-size", "1")
_LAST_LINE = b"</plist>"
_FIRST_SECONDS = 4.0
_MOST_WAITING = 60
_PARTS = frozenset({Part.ENERGY, Part.GPU, Part.CORES})


def find_power_metrics(root: Path, missing: frozenset[Part], *, is_superuser: bool | None = None) -> Sensor | None:
    """Return the sensor of the missing parts if this is root and the program's first list has any of them."""
    program = root / _PLACE
    may_run = os.geteuid() == 0 if is_superuser is None else is_superuser
    if not missing & _PARTS or not may_run or not os.access(program, os.X_OK):
        return None
    sensor = ApplePowerMetrics(program, missing & _PARTS)
    if sensor.gives_values(_FIRST_SECONDS):
        return sensor
    sensor.close()
    return None


class ApplePowerMetrics:
    """A list each second. Energies add up over all lists; the rest is that of the last one."""

    name = "apple_powermetrics"
    tier = Tier.SLOW
    worker = "powermetrics"

    def __init__(self, program: Path, parts: frozenset[Part]) -> None:
        self._printed: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._process = LineProcess((str(program), *_OPTIONS), last_line=_LAST_LINE, on_record=self._printed.append)
        self._parts = parts
        self._joules: dict[str, float] = {}

    def sample(self) -> Sequence[Reading]:
        """Return what the lists since the last sample say."""
        try:
            self._process.latest()
        except LineProcessError as error:
            self._joules.clear()  # what was used until it runs again is not known
            raise SensorLostError(str(error)) from error
        return self._readings()

    def gives_values(self, timeout_seconds: float) -> bool:
        """Tell whether the first list, for which this waits, gives a reading."""
        try:
            self._process.first(timeout_seconds)
        except LineProcessError:  # it will not run here
            return False
        return bool(self._readings())

    def close(self) -> None:
        """End the program."""
        self._process.close()

    def _readings(self) -> list[Reading]:
        if len(self._printed) == _MOST_WAITING:  # older lists may have been dropped, with their energy
            self._joules.clear()
        last: PowerMetrics | None = None
        while self._printed:
            found = parse_power_metrics(self._printed.popleft())
            if found is not None:
                last = found
                for rail, joules in found.joules.items():
                    self._joules[rail] = self._joules.get(rail, 0.0) + joules
        return [] if last is None else list(self._of(last))

    def _of(self, last: PowerMetrics) -> Iterator[Reading]:
        if Part.ENERGY in self._parts:
            for rail, joules in self._joules.items():
                energy, power = rail_channels(rail, _SOURCE)
                yield Reading(energy, joules)
                if rail in last.joules:
                    yield Reading(power, last.joules[rail] / last.elapsed_seconds)
        if Part.GPU in self._parts:
            if last.gpu_busy_ratio is not None:
                yield Reading(channel("edgeprof_gpu_busy_ratio", _SOURCE, gpu=GPU), last.gpu_busy_ratio)
            if last.gpu_clock_hertz is not None:
                yield Reading(channel("edgeprof_gpu_clock_hertz", _SOURCE, gpu=GPU, domain="sm"), last.gpu_clock_hertz)
        if Part.CORES in self._parts:
            for core, hertz in last.core_clocks_hertz.items():
                yield Reading(channel("edgeprof_cpu_frequency_hertz", _SOURCE, core=core), hertz)
