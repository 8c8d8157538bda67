"""How hard macOS holds the chip back for its heat: the state of a notification, which every user may read."""

from collections.abc import Sequence

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.apple.system import System
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

NAME = "com.apple.system.thermalpressurelevel"
# OSThermalNotification.h: 0 is nominal. Each level above holds back more than the one before.
_LEVELS = ("nominal", "moderate", "heavy", "trapping", "sleeping")


def find_thermal_pressure(system: System) -> Sensor | None:
    """Return the sensor if the level can be read."""
    return AppleThermalPressure(system) if _level(system) is not None else None


class AppleThermalPressure:
    """One channel per level above nominal: 1 for the level that holds now, 0 for the others."""

    name = "apple_thermal_pressure"
    tier = Tier.FAST

    def __init__(self, system: System) -> None:
        self._system = system
        self._channels = [
            channel("edgeprof_throttled_ratio", f"notify/{NAME}", place=f"chip ({level} pressure)", reason="thermal")
            for level in _LEVELS[1:]
        ]

    def sample(self) -> Sequence[Reading]:
        """Return which level holds."""
        level = _level(self._system)
        if level is None:
            raise SensorLostError("macOS tells no thermal pressure any more")
        return [Reading(found, float(level == number)) for number, found in enumerate(self._channels, start=1)]


def _level(system: System) -> int | None:
    level = system.state(NAME)
    return level if level is not None and level < len(_LEVELS) else None
