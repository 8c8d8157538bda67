"""What neither the kernel's files nor tegrastats show to this user on a Jetson, by jetson-stats, if its owner asks.

jetson-stats (jtop) has a service that runs as root and hands its values to the group ``jtop``. It costs 5 to 25 % of
a core, so it is asked only if the environment variable ``EDGEPROF_JTOP_PYTHON`` names an interpreter that has it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.jetson_module import Module, find_module
from edgeprof_agent.sensors.jetson_values import Group, JetsonValues, readings_of
from edgeprof_agent.sensors.line_process import LineProcess, LineProcessError
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

INTERPRETER_VARIABLE = "EDGEPROF_JTOP_PYTHON"

_SCRIPT = Path(__file__).with_name("jtop_child.py")
_SOURCE = "/run/jtop.sock"
_FIRST_LINE_SECONDS = 4.0
_HIGHEST = 1e15


def discover(root: Path, groups: frozenset[Group], environment: Mapping[str, str] = os.environ) -> Sensor | None:
    """Return the sensor of these groups if an interpreter is named, and its first line has a value of one of them."""
    interpreter = environment.get(INTERPRETER_VARIABLE)
    if not interpreter or not groups:
        return None
    sensor = JetsonStats(interpreter, groups, find_module(root), environment)
    if sensor.gives_values(_FIRST_LINE_SECONDS):
        return sensor
    sensor.close()
    return None


class JetsonStats:
    """One line a second from a child process; ``jetson.interval`` is what the service's first client asked for.

    Its share of the memory controller's time is left out: it is a hundredth of the truth, rounded down
    (rbonghi/jetson_stats#715).
    """

    name = "jetson_stats"
    tier = Tier.FAST
    worker = "jetson_stats"

    def __init__(
        self, interpreter: str, groups: frozenset[Group], module: Module | None, environment: Mapping[str, str]
    ) -> None:
        self._process = LineProcess((interpreter, str(_SCRIPT)), environment)
        self._groups = groups
        self._module = module
        self._line: bytes | None = None
        self._of_line: Sequence[Reading] = ()

    def sample(self) -> Sequence[Reading]:
        """Return the readings of the latest line."""
        try:
            line = self._process.latest()
        except LineProcessError as error:
            raise SensorLostError(str(error)) from error
        if line is not self._line:  # a line is taken to pieces once, however often it is sampled
            self._of_line = self._readings(line)
            self._line = line
        return self._of_line

    def gives_values(self, timeout_seconds: float) -> bool:
        """Tell whether the child's first line, for which this waits, gives a reading."""
        try:
            return bool(self._readings(self._process.first(timeout_seconds)))
        except (LineProcessError, SensorLostError):  # no interpreter, no jtop in it, no service: doctor's to explain
            return False

    def close(self) -> None:
        """End the child."""
        self._process.close()

    def _readings(self, line: bytes | None) -> Sequence[Reading]:
        values = None if line is None else parse_values(line)
        return () if values is None else readings_of(values, self._groups, self._module, self.name, _SOURCE)


def parse_values(line: bytes) -> JetsonValues | None:
    """Return the values of a line of the child; ``None`` for a line that is not one.

    Raises:
        SensorLostError: the line says why jetson-stats gives none.
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):  # torn, or not the child's
        return None
    if not isinstance(content, dict):
        return None
    if "error" in content:
        raise SensorLostError(f"jetson-stats: {content['error']}")
    gpu = next((each for each in _mapping(content, "gpu").values() if isinstance(each, dict)), {})
    load, clock = _number(gpu.get("load")), _number(gpu.get("clock"))
    memory_clock = _number(content.get("memory_clock"))
    return JetsonValues(
        rails_watts={name: mw / 1000 for name, mw in _numbers(_mapping(content, "rails"))},
        temperatures_celsius=dict(_numbers(_mapping(content, "temperatures"))),
        gpu_busy_ratio=None if load is None else load / 100,
        gpu_clocks_hertz={} if clock is None else {"sm": clock * 1000},
        memory_clock_hertz=None if memory_clock is None else memory_clock * 1000,
    )


def _mapping(content: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _numbers(content: Mapping[str, object]) -> list[tuple[str, float]]:
    return [(name, number) for name, raw in content.items() if name and (number := _number(raw)) is not None]


def _number(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return None
    return float(raw) if abs(raw) < _HIGHEST else None  # so written, it is false for NaN as well
