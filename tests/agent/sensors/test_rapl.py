from pathlib import Path

import pytest

from edgeprof_agent.sensors import rapl
from edgeprof_agent.sensors.rapl import GrowingCounter
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from tests.agent.sensors.devices import close

RANGE_UJ = 262143328850


def zone(root: Path, name: str, label: str, energy_uj: int) -> Path:
    folder = root / "sys/class/powercap" / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n")
    (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder / "energy_uj"


def joules(sensor: Sensor) -> dict[str, float]:
    return {dict(channel.labels)["rail"]: value for channel, value in sensor.sample()}


def discover(root: Path) -> Sensor:
    sensor = rapl.discover(root)
    assert sensor is not None
    return sensor


def test_zones_are_named_by_their_parents(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 3_000_000)
    zone(tmp_path, "intel-rapl:1", "package-1", 4_000_000)
    zone(tmp_path, "intel-rapl:1:0", "core", 2_000_000)
    zone(tmp_path, "intel-rapl-mmio:0", "package-0", 5_000_001)
    sensor = discover(tmp_path)
    assert joules(sensor) == {"package-0": 5.0, "package-0/core": 3.0, "package-1": 4.0, "package-1/core": 2.0}
    assert sensor.sample()[1].channel.source == "/sys/class/powercap/intel-rapl:0:0/energy_uj"
    close((sensor,))


def test_packages_of_several_dies_memory_and_platform_have_names_of_their_own(tmp_path: Path) -> None:
    for name, label in (
        ("intel-rapl:0", "package-0-die-0"),
        ("intel-rapl:0:0", "dram"),
        ("intel-rapl:1", "package-0-die-1"),
        ("intel-rapl:1:0", "dram"),
        ("intel-rapl:2", "psys"),
    ):
        zone(tmp_path, name, label, 1_000_000)
    sensor = discover(tmp_path)
    names = {"package-0-die-0", "package-0-die-0/dram", "package-0-die-1", "package-0-die-1/dram", "psys"}
    assert set(joules(sensor)) == names
    close((sensor,))


def test_zones_that_share_a_name_are_told_apart_by_their_number(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    zone(tmp_path, "intel-rapl:a", "package-0", 2_000_000)
    sensor = discover(tmp_path)
    assert joules(sensor) == {"package-0 (intel-rapl:0)": 1.0, "package-0 (intel-rapl:a)": 2.0}
    close((sensor,))


def test_energy_goes_on_growing_when_the_counter_wraps(tmp_path: Path) -> None:
    energy = zone(tmp_path, "intel-rapl:0", "package-0", RANGE_UJ - 1_000_000)
    sensor = discover(tmp_path)
    before = joules(sensor)["package-0"]
    energy.write_text("2000000\n")
    assert joules(sensor)["package-0"] - before == pytest.approx(3.0, abs=1e-6)
    energy.write_text("2500000\n")
    assert joules(sensor)["package-0"] - before == pytest.approx(3.5, abs=1e-6)
    close((sensor,))


@pytest.mark.parametrize(
    ("values", "totals"),
    [
        ((700, 750, 760), (700, 750, 760)),
        ((900, 990, 20, 30), (900, 990, 1020, 1030)),
        ((400, 20, 50), (400, 420, 450)),  # fell by less than a wrap explains: it began again
        ((0, 10, 0), (0, 10, 10)),
        ((800, 49, 60), (800, 1049, 1060)),
        ((800, 51, 60), (800, 851, 860)),
    ],
)
def test_a_counter_that_falls_has_wrapped_or_begun_again(values: tuple[int, ...], totals: tuple[int, ...]) -> None:
    counter = GrowingCounter(1000)
    assert tuple(counter.advance(value) for value in values) == totals


def test_a_zone_that_may_not_be_read_is_absent(tmp_path: Path) -> None:
    energy = zone(tmp_path, "intel-rapl:0", "package-0", 5)
    energy.unlink()
    energy.mkdir()  # no one can read it, root included
    assert rapl.discover(tmp_path) is None


def test_zones_that_are_all_gone_are_an_error(tmp_path: Path) -> None:
    energy = zone(tmp_path, "intel-rapl:0", "package-0", 5)
    sensor = discover(tmp_path)
    energy.write_text("")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))
