"""Temperatures and the Mac's power, by the controller or else by HID sensors."""

import struct

import pytest

from edgeprof_agent.sensors.apple.temperatures import find_temperatures
from edgeprof_agent.sensors.sensor import SensorLostError
from tests.agent.sensors.apple.played_mac import Fields, PlayedMac, by_name
from tests.agent.sensors.devices import close

ENDPOINT = ("service", "AppleSMC", "AppleSMCKeysEndpoint")


def keys(**values: float) -> list[Fields]:
    floats = [("smc", key, "flt", struct.pack("<f", value).hex()) for key, value in values.items()]
    return [ENDPOINT, ("smc", "#KEY", "ui32", struct.pack(">I", len(floats) + 1).hex()), *floats]


def test_each_key_is_a_place(mac: PlayedMac) -> None:
    mac.play([*keys(PSTR=38.5, Tp01=61.25, Te05=44.5, Tg0D=58.75, Tm02=41, TB0T=30, Tp1=1), ("hid", "PMU tdie1", 50)])
    (sensor,) = find_temperatures(mac.find())
    assert by_name(sensor.sample()) == {
        "edgeprof_power_total_watts system": 38.5,
        "edgeprof_temperature_celsius SMC Tp01": 61.25,
        "edgeprof_temperature_celsius SMC Te05": 44.5,
        "edgeprof_temperature_celsius SMC Tm02": 41.0,
        "edgeprof_gpu_temperature_celsius apple0 Tg0D": 58.75,
    }
    assert mac.sample(sensor, keys(PSTR=0, Tp01=0, Tg0D=151, Tm02=float("nan"), Te05=45)) == {
        "edgeprof_temperature_celsius SMC Te05": 45.0
    }
    with pytest.raises(SensorLostError):
        mac.sample(sensor, [ENDPOINT])
    close((sensor,))


def test_keys_of_another_type_are_left_out(mac: PlayedMac) -> None:
    mac.play([*keys(PSTR=20), ("smc", "Tp01", "sp78", "1a00"), ("smc", "Tp05", "ui32", "0000002a")])
    (sensor,) = find_temperatures(mac.find())
    assert by_name(sensor.sample()) == {"edgeprof_power_total_watts system": 20.0}
    close((sensor,))


def test_hid_sensors_stand_in_for_the_controller(mac: PlayedMac) -> None:
    sensors = [
        ("hid", "pACC MTR Temp Sensor2", 55.5),
        ("hid", "GPU MTR Temp Sensor1", 48.25),
        ("hid", "eACC MTR Temp Sensor0", -22),
        ("hid", "SOC MTR Temp Sensor0", "-"),
        ("hid", "gas gauge battery", 31),
    ]
    mac.play([*keys(PSTR=12.5), *sensors])
    controller, hid = find_temperatures(mac.find())
    assert by_name(controller.sample()) == {"edgeprof_power_total_watts system": 12.5}
    assert by_name(hid.sample()) == {
        "edgeprof_temperature_celsius IOHID pACC MTR Temp Sensor2": 55.5,
        "edgeprof_gpu_temperature_celsius apple0 GPU MTR Temp Sensor1": 48.25,
    }
    with pytest.raises(SensorLostError):
        mac.sample(hid, [("hid", "gas gauge battery", 31)])
    close((controller, hid))


def test_a_mac_with_neither_has_none_and_nothing_is_left_open(mac: PlayedMac) -> None:
    found = mac.find()
    assert find_temperatures(found) == []
    mac.play([ENDPOINT, ("hid", "gas gauge battery", 31)])
    assert find_temperatures(found) == []
    found.core_foundation.close()
    assert mac.alive == 0
