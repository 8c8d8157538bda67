"""Temperatures from the kernel's thermal zones."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.celsius import celsius
from edgeprof_agent.sensors.kernel_file import KernelFile, read_text, source_of
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

# Of older Jetsons: the driver of their power manager serves its alarm, and always says 50 or 100 degrees.
_NO_SENSOR = "PMIC-Die"


def discover(root: Path) -> Sensor | None:
    """Return the sensor of all thermal zones if one of them gives a temperature now.

    Zones that do not are kept: a GPU's zone fails while the GPU is powered down.
    """
    folders = sorted(root.glob("sys/class/thermal/thermal_zone[0-9]*"), key=_number)
    names = {folder: read_text(folder / "type") or folder.name for folder in folders}
    types = {folder: name for folder, name in names.items() if name != _NO_SENSOR}
    count = Counter(types.values())
    zones = []
    for folder, kind in types.items():
        place = kind if count[kind] == 1 else f"{kind}_{_number(folder)}"
        source = source_of(folder / "temp", root)
        temperature = channel("edgeprof_temperature_celsius", source, chip="thermal_zone", place=place)
        zones.append((temperature, KernelFile(folder / "temp")))
    sensor = ThermalZones(tuple(zones))
    return sensor if sensor.read() else None


class ThermalZones:
    """``thermal_zoneN/temp`` in millidegrees. A read may ask firmware, which takes milliseconds on some boards."""

    name = "thermal_zone"
    tier = Tier.FAST
    worker = "thermal_zone"

    def __init__(self, zones: tuple[tuple[Channel, KernelFile], ...]) -> None:
        self._zones = zones

    def sample(self) -> Sequence[Reading]:
        """Return the temperature of each zone that gives one."""
        readings = self.read()
        if not readings:
            raise SensorLostError("no thermal zone gives a temperature")
        return readings

    def read(self) -> list[Reading]:
        """Return the temperatures that can be read."""
        readings = []
        for temperature, file in self._zones:
            value = celsius(file.read_int())
            if value is not None:
                readings.append(Reading(temperature, value))
        return readings

    def close(self) -> None:
        """Close the files."""
        for _, file in self._zones:
            file.close()


def _number(folder: Path) -> int:
    return int(folder.name.removeprefix("thermal_zone"))
