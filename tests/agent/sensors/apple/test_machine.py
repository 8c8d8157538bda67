"""What kind of Mac it is, and the sensors of memory, heat and constants."""

from pathlib import Path

import pytest

from edgeprof_agent.sensors.apple import family
from edgeprof_agent.sensors.apple.gpu_memory import find_gpu_memory
from edgeprof_agent.sensors.apple.identity import with_mac, with_power_of_mac
from edgeprof_agent.sensors.apple.mac import find_mac
from edgeprof_agent.sensors.apple.thermal_pressure import NAME, find_thermal_pressure
from edgeprof_agent.sensors.apple.working_set import working_set_limit
from edgeprof_agent.sensors.device_facts import gather_device_facts
from edgeprof_agent.sensors.sensor import SensorLostError
from tests.agent.sensors.apple.played_mac import CHIP, Fields, PlayedMac, by_name
from tests.agent.sensors.apple.stand_in_library import STATE
from tests.agent.sensors.devices import close

ACCELERATOR = ("service", "IOAccelerator", "AGXAcceleratorG14X")
LOW_POWER = "com.apple.system.lowpowermode"


def statistic(name: str, value: int) -> Fields:
    return ("property", "IOAccelerator", "AGXAcceleratorG14X", f"PerformanceStatistics/{name}", "int", value)


def without_chip(mac: PlayedMac) -> None:
    """Be a Mac with Intel's processor."""
    state = mac.root / STATE
    chip = "\t".join(map(str, CHIP))
    state.write_text(state.read_text().replace(chip, "sysctl\tmachdep.cpu.brand_string\ttext\tIntel(R) Core(TM) i9\n"))


def test_other_devices_are_no_macs(tmp_path: Path) -> None:
    assert find_mac(tmp_path) is None
    assert family.discover(tmp_path) == ()


def test_an_intel_mac_has_no_such_sensors_and_its_facts_stay(mac: PlayedMac) -> None:
    without_chip(mac)
    assert find_mac(mac.root) is None
    assert family.discover(mac.root) == ()
    facts = gather_device_facts(Path("/proc/none"), "device-1", {})
    assert with_mac(facts, mac.root) is facts
    assert with_power_of_mac(facts, mac.root) is facts


@pytest.mark.parametrize(
    ("lines", "mode", "source"),
    [
        ([], None, None),
        ([("notify", LOW_POWER, 0), ("power", "AC Power")], "automatic", "mains"),
        ([("notify", LOW_POWER, 1), ("power", "Battery Power")], "low power", "battery"),
        ([("power", "UPS Power")], None, "battery"),
        ([("power", "Bicycle")], None, None),
    ],
)
def test_power_of_a_mac(mac: PlayedMac, lines: list[Fields], mode: str | None, source: str | None) -> None:
    facts = gather_device_facts(mac.root, "device-1", {})
    mac.play(lines)
    told = with_power_of_mac(facts, mac.root)
    assert (told.power_mode, told.power_source) == (mode, source)
    assert mac.alive == 0


def test_a_mac_that_tells_little_is_described_by_that(mac: PlayedMac) -> None:
    facts = gather_device_facts(mac.root, "device-1", {})
    assert facts.architecture == "arm64"
    assert facts.accelerators == ()
    mac.play([("service", "AGXAccelerator", "AGX"), ("sysctl", "machdep.cpu.brand_string", "text", "Apple M9")])
    (gpu,) = gather_device_facts(mac.root, "device-1", {}).accelerators
    assert (gpu.product, gpu.unified_memory) == ("Apple M9 GPU", True)


def test_memory_in_use_is_one_of_the_driver_s_statistics(mac: PlayedMac) -> None:
    lines = [ACCELERATOR, ACCELERATOR, statistic("Alloc system memory", 7), statistic("In use system memory", 5 << 30)]
    mac.play(lines)
    sensor = find_gpu_memory(mac.find())
    assert sensor is not None
    assert by_name(sensor.sample()) == {"edgeprof_gpu_host_memory_used_bytes apple0": 5 << 30}
    with pytest.raises(SensorLostError):
        mac.sample(sensor, [ACCELERATOR, statistic("Alloc system memory", 7)])
    close((sensor,))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [ACCELERATOR],
        [ACCELERATOR, statistic("Alloc system memory", 7)],
        [ACCELERATOR, statistic("In use system memory", -1)],
        [ACCELERATOR, ("property", "IOAccelerator", "AGXAcceleratorG14X", "PerformanceStatistics", "int", 5)],
    ],
)
def test_a_driver_that_tells_no_memory_has_no_sensor(mac: PlayedMac, lines: list[Fields]) -> None:
    mac.play(lines)
    found = mac.find()
    assert find_gpu_memory(found) is None
    found.core_foundation.close()
    assert mac.alive == 0


def test_the_working_set_s_limit_is_the_owner_s_or_else_metal_s(mac: PlayedMac) -> None:
    assert working_set_limit(mac.find()) is None
    mac.play([("sysctl", "iogpu.wired_limit_mb", "int32", 0), ("metal", 51539607552)])
    assert working_set_limit(mac.find()) == (51539607552, "MTLDevice/recommendedMaxWorkingSetSize")
    mac.play([("sysctl", "iogpu.wired_limit_mb", "int32", 60000), ("metal", 51539607552)])
    assert working_set_limit(mac.find()) == (60000 << 20, "sysctl/iogpu.wired_limit_mb")


def test_the_level_of_thermal_pressure_that_holds_is_told(mac: PlayedMac) -> None:
    assert find_thermal_pressure(mac.find().system) is None
    mac.play([("notify", NAME, 0)])
    sensor = find_thermal_pressure(mac.find().system)
    assert sensor is not None
    for level, place in ((0, None), (1, "moderate"), (2, "heavy"), (3, "trapping"), (4, "sleeping")):
        values = mac.sample(sensor, [("notify", NAME, level)])
        assert len(values) == 4
        held = [name for name, value in values.items() if value]
        assert held == ([] if place is None else [f"edgeprof_throttled_ratio chip ({place} pressure) thermal"])
    for lines in ([], [("notify", NAME, 77)]):
        with pytest.raises(SensorLostError):
            mac.sample(sensor, lines)
    assert mac.sample(sensor, [("notify", NAME, 2)])
