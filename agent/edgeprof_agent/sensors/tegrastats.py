"""What the kernel's files do not show on a Jetson, by NVIDIA's program tegrastats."""

import os
from collections.abc import Sequence
from pathlib import Path

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.jetson_module import Module, find_module
from edgeprof_agent.sensors.jetson_values import Group, readings_of
from edgeprof_agent.sensors.line_process import LineProcess, LineProcessError
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from edgeprof_agent.sensors.tegrastats_line import parse_line

_PLACES = ("usr/bin/tegrastats", "home/nvidia/tegrastats")
_INTERVAL_MS = 1000
_FIRST_LINE_SECONDS = 4.0


def discover(root: Path, groups: frozenset[Group]) -> Sensor | None:
    """Return the sensor of these groups if the program's first line has a value of one of them.

    As an unprivileged user it does not show the memory controller, for instance.
    """
    program = next((root / place for place in _PLACES if os.access(root / place, os.X_OK)), None)
    if program is None or not groups:
        return None
    sensor = Tegrastats(program, f"/{program.relative_to(root)}", groups, find_module(root))
    if sensor.gives_values(_FIRST_LINE_SECONDS):
        return sensor
    sensor.close()
    return None


class Tegrastats:
    """One line a second. A line that is not whole gives nothing, and a program that is lost is started again."""

    name = "tegrastats"
    tier = Tier.FAST
    worker = "tegrastats"

    def __init__(self, program: Path, source: str, groups: frozenset[Group], module: Module | None) -> None:
        self._process = LineProcess((str(program), "--interval", str(_INTERVAL_MS)))
        self._source = source
        self._groups = groups
        self._module = module
        self._rails: frozenset[str] = frozenset()
        self._line: bytes | None = None
        self._of_line: Sequence[Reading] = ()

    def sample(self) -> Sequence[Reading]:
        """Return the readings of the latest line."""
        try:
            line = self._process.latest()
        except LineProcessError as error:
            raise SensorLostError(str(error)) from error
        if line is not self._line:  # a line is taken to pieces once, however often it is sampled
            self._line, self._of_line = line, self._readings(line)
        return self._of_line

    def gives_values(self, timeout_seconds: float) -> bool:
        """Tell whether the program's first line, for which this waits, gives a reading."""
        try:
            return bool(self._readings(self._process.first(timeout_seconds)))
        except LineProcessError:  # there is no such program for this machine
            return False

    def close(self) -> None:
        """End the program."""
        self._process.close()

    def _readings(self, line: bytes | None) -> Sequence[Reading]:
        values = None if line is None else parse_line(line)
        if values is None or values.rails_watts.keys() < self._rails:  # it is cut short before some of its rails
            return ()
        self._rails = frozenset(values.rails_watts)
        return readings_of(values, self._groups, self._module, self.name, self._source)
