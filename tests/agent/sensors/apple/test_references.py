"""What the sensors take from macOS's libraries, they let go of."""

import pytest

from edgeprof_agent.sensors.apple.discovery import discover_mac
from edgeprof_agent.sensors.apple.identity import with_mac
from edgeprof_agent.sensors.device_facts import gather_device_facts
from tests.agent.sensors.apple import stand_in_library
from tests.agent.sensors.devices import NAMES, Device, close

TICKS = 1000


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("apple-")])
def test_a_thousand_ticks_leave_nothing_behind(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    device = Device(name, tmp_path_factory.mktemp("mac"))
    sensors = device.discover()
    for sensor in sensors:
        sensor.sample()
    before = stand_in_library.alive(device.root)
    for _ in range(TICKS):
        for sensor in sensors:
            sensor.sample()
    assert stand_in_library.alive(device.root) == before
    assert stand_in_library.misuses(device.root) == 0
    close(sensors)
    kept = stand_in_library.alive(device.root)  # names of keys, and of one notification
    again = discover_mac(device.root)
    close(tuple(again))
    assert stand_in_library.alive(device.root) <= 2 * kept


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("apple-")])
def test_facts_that_are_read_again_and_again_leave_nothing_behind(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    device = Device(name, tmp_path_factory.mktemp("mac"))
    facts = gather_device_facts(device.root, "device-1", {})
    assert stand_in_library.alive(device.root) == 0
    with_mac(facts, device.root)
    assert stand_in_library.alive(device.root) == 0
    assert stand_in_library.misuses(device.root) == 0
