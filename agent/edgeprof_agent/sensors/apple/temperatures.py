"""Temperatures of the chip, and the whole Mac's power, by the system management controller; else by HID sensors."""

import re
from collections.abc import Sequence

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Channel, Reading
from edgeprof_agent.sensors.apple.c_library import LibraryMissingError
from edgeprof_agent.sensors.apple.hid import HidTemperatures
from edgeprof_agent.sensors.apple.mac import GPU, Mac
from edgeprof_agent.sensors.apple.smc import Smc, open_smc
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError

# Tp and Te: performance and efficiency cores; Tg: GPU; Tm: memory.
_TEMPERATURE_KEY = re.compile(r"T[pegm][0-9A-Za-z]{2}")
_GPU_KEY = "Tg"
POWER_KEY = "PSTR"  # "system total", in watts
_HID_NAME = re.compile(r"(?:[pe]ACC|GPU|SOC|ANE) MTR Temp Sensor\d+")
_HID_GPU = "GPU"
_LOWEST, _HIGHEST = 0.0, 150.0  # what lies outside is of a sensor that is off
_MOST_WATTS = 2000.0


def is_temperature_key(key: str) -> bool:
    """Tell whether a key of the controller is that of a temperature on the chip."""
    return _TEMPERATURE_KEY.fullmatch(key) is not None


def find_temperatures(mac: Mac) -> list[Sensor]:
    """Return the controller's sensor if it gives a value, and that of the HID sensors if it gives no temperature."""
    sensor = _open_controller(mac)
    if sensor is not None and sensor.has_temperatures:
        return [sensor]
    found: list[Sensor] = [] if sensor is None else [sensor]
    try:
        hid = AppleHidTemperatures(HidTemperatures(mac.root, mac.core_foundation))
    except LibraryMissingError:  # this macOS has no such functions any more
        return found
    if hid.read():
        return [*found, hid]
    hid.close()
    return found


def _open_controller(mac: Mac) -> "AppleController | None":
    smc = open_smc(mac.registry, mac.system.task)
    if smc is None:
        return None
    sensor = AppleController(smc)
    if sensor.read():
        return sensor
    sensor.close()
    return None


class AppleController:
    """Keys of the controller that hold temperatures, each its own place, and the power of the whole Mac."""

    name = "apple_smc"
    tier = Tier.SLOW
    worker = "smc"

    def __init__(self, smc: Smc) -> None:
        self._smc = smc
        keys = sorted(smc.keys(is_temperature_key))
        places = {key: _place("SMC", key, is_of_gpu=key.startswith(_GPU_KEY)) for key in keys}
        self._places = {key: place for key, place in places.items() if _celsius(smc.read_float(key)) is not None}
        self._power = channel("edgeprof_power_total_watts", f"SMC/{POWER_KEY}", rails="system")

    @property
    def has_temperatures(self) -> bool:
        """Whether any key of a temperature gave one at the start."""
        return bool(self._places)

    def sample(self) -> Sequence[Reading]:
        """Return what can be read now."""
        readings = self.read()
        if not readings:
            raise SensorLostError("the system management controller gives no value any more")
        return readings

    def read(self) -> list[Reading]:
        """Return the values that can be true."""
        readings = [
            Reading(place, value)
            for key, place in self._places.items()
            if (value := _celsius(self._smc.read_float(key))) is not None
        ]
        watts = self._smc.read_float(POWER_KEY)
        if watts is not None and 0 < watts < _MOST_WATTS:
            readings.append(Reading(self._power, watts))
        return readings

    def close(self) -> None:
        """End the connection."""
        self._smc.close()


class AppleHidTemperatures:
    """Sensors of the clusters, the GPU and the chip, by their own names."""

    name = "apple_hid"
    tier = Tier.SLOW
    worker = "hid"

    def __init__(self, temperatures: HidTemperatures) -> None:
        self._temperatures = temperatures
        self._places: dict[str, Channel] = {}

    def sample(self) -> Sequence[Reading]:
        """Return what can be read now."""
        readings = self.read()
        if not readings:
            raise SensorLostError("no HID sensor gives a temperature any more")
        return readings

    def read(self) -> list[Reading]:
        """Return the temperatures that can be true. Of sensors with one name, the first counts."""
        found: dict[str, float] = {}
        for name, value in self._temperatures.read():
            if _HID_NAME.fullmatch(name) and _celsius(value) is not None:
                found.setdefault(name, value)
        return [Reading(self._channel(name), value) for name, value in found.items()]

    def close(self) -> None:
        """End the connection."""
        self._temperatures.close()

    def _channel(self, name: str) -> Channel:
        if name not in self._places:
            self._places[name] = _place("IOHID", name, is_of_gpu=name.startswith(_HID_GPU))
        return self._places[name]


def _place(library: str, name: str, *, is_of_gpu: bool) -> Channel:
    source = f"{library}/{name}"
    if is_of_gpu:
        return channel("edgeprof_gpu_temperature_celsius", source, gpu=GPU, place=name)
    return channel("edgeprof_temperature_celsius", source, chip=library, place=name)


def _celsius(value: float | None) -> float | None:
    return value if value is not None and _LOWEST < value <= _HIGHEST else None
