"""Energy of the chip's blocks: units, exact names, times, and what is not there."""

import pytest

from edgeprof_agent.sensors.apple.energy import is_block, open_energy
from edgeprof_agent.sensors.apple.io_report import ReportUnavailableError
from edgeprof_agent.sensors.sensor import SensorLostError
from tests.agent.sensors.apple.played_mac import Fields, PlayedMac, clock, energy


def blocks(seconds: float, counts: int) -> list[Fields]:
    """Channels of three units, stamped now."""
    return [
        clock(seconds),
        energy("CPU Energy", "mJ", seconds, 5_000 + 3 * counts),
        energy("GPU Energy", "nJ", seconds, 7_000_000_000 + 40_000_000 * counts),
        energy("DRAM0", "uJ   ", seconds, 2_000 * counts),
    ]


def test_each_channel_counts_in_its_own_unit(mac: PlayedMac) -> None:
    mac.play(blocks(10, 0))
    sensor = open_energy(mac.report())
    mac.sample(sensor, blocks(10, 0))
    assert mac.sample(sensor, blocks(12, 1000)) == {
        "edgeprof_energy_joules_total apple CPU": 3.0,
        "edgeprof_power_watts apple CPU": 1.5,
        "edgeprof_gpu_energy_joules_total apple0": 40.0,
        "edgeprof_gpu_power_watts apple0 average": 20.0,
        "edgeprof_energy_joules_total apple DRAM": pytest.approx(2.0),
        "edgeprof_power_watts apple DRAM": pytest.approx(1.0),
    }
    sensor.close()


def test_power_is_by_the_time_that_really_passed_and_energy_adds_up(mac: PlayedMac) -> None:
    mac.play(blocks(10, 0))
    sensor = open_energy(mac.report())
    total = 0
    now = 10.0
    for step, seconds in enumerate((0.1, 0.1, 0.35, 1.0, 0.1), start=1):
        now += seconds
        total += 100 * step
        values = mac.sample(sensor, blocks(now, total))
        assert values["edgeprof_energy_joules_total apple CPU"] == pytest.approx(0.003 * total)
        if step > 1:  # the first tells only when the counter was last updated
            assert values["edgeprof_power_watts apple CPU"] == pytest.approx(0.3 * step / seconds, rel=1e-5)
    sensor.close()


def test_a_rail_that_is_published_every_two_seconds_has_neither_holes_nor_peaks(mac: PlayedMac) -> None:
    def moment(tick: int) -> list[Fields]:
        now, updates = 100 + tick / 10, tick // 21  # 30 W, brought up to date every 2.1 s
        published = 100 + updates * 2.1
        return [
            clock(now),
            energy("CPU Energy", "mJ", published, 63_000 * updates),
            energy("GPU Energy", "nJ", now, 5_000_000_000 * tick),
        ]

    mac.play(moment(0))
    sensor = open_energy(mac.report())
    samples = [mac.sample(sensor, moment(tick)) for tick in range(1, 106)]
    powers = {round(values["edgeprof_power_watts apple CPU"], 3) for values in samples[21:]}
    assert powers == {30.0}
    assert {round(values["edgeprof_gpu_power_watts apple0 average"], 3) for values in samples[2:]} == {50.0}
    energies = [values["edgeprof_energy_joules_total apple CPU"] for values in samples]
    assert sorted(set(energies)) == pytest.approx([0, 63, 126, 189, 252, 315])
    sensor.close()


def test_blocks_of_two_dies_are_one(mac: PlayedMac) -> None:
    def moment(seconds: float, gained: int) -> list[Fields]:
        return [
            clock(seconds),
            *(energy(f"DIE_{die}_CPU Energy", "mJ", seconds, 9_000 * die + gained) for die in (0, 1)),
            *(energy(f"DIE_{die}_PACC0_CPU", "mJ", seconds, gained) for die in (0, 1)),
            energy("GPU0_0", "mJ", seconds, gained),
            energy("GPU SRAM0_0", "mJ", seconds, gained),
            energy("ANE0_0", "mJ", seconds, gained),
            energy("ANE0_1", "mJ", seconds, 2 * gained),
        ]

    mac.play(moment(1, 0))
    sensor = open_energy(mac.report())
    values = mac.sample(sensor, moment(2, 500))
    assert {name: value for name, value in values.items() if "joules" in name} == {
        "edgeprof_energy_joules_total apple CPU": 1.0,
        "edgeprof_gpu_energy_joules_total apple0": 0.5,
        "edgeprof_energy_joules_total apple ANE": 1.5,
    }
    sensor.close()


def test_a_channel_of_the_whole_package_is_not_added_to_those_of_its_dies(mac: PlayedMac) -> None:
    def moment(gained: int) -> list[Fields]:
        names = ("CPU Energy", "DIE_0_CPU Energy", "DIE_1_CPU Energy", "GPU Energy", "GPU0")
        return [clock(1), *(energy(name, "mJ", 1, gained) for name in names)]

    mac.play(moment(0))
    sensor = open_energy(mac.report())
    values = mac.sample(sensor, moment(700))
    assert values["edgeprof_energy_joules_total apple CPU"] == pytest.approx(0.7)
    assert values["edgeprof_gpu_energy_joules_total apple0"] == pytest.approx(0.7)
    sensor.close()


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("CPU Energy", True),
        ("DIE_1_CPU Energy", True),
        ("GPU Energy", True),
        ("GPU0", True),
        ("GPU0_0", True),
        ("ANE0_1", True),
        ("DRAM", True),
        ("apciec0 Energy", False),
        ("ECPUDTL04", False),
        ("DIE_0_PACC1_CPU", False),
        ("GPU SRAM0", False),
        ("GPU0_SRAM", False),
        ("DRAM0_SRAM", False),
        ("PCIe Port 0 Energy", False),
        ("MCPU0", False),
    ],
)
def test_only_whole_blocks_are_subscribed_to(name: str, is_one: bool) -> None:
    assert is_block(name) is is_one


def test_a_channel_without_a_value_costs_its_block_and_begins_again_from_nothing(mac: PlayedMac) -> None:
    def moment(seconds: float, ane: int | None) -> list[Fields]:
        return [
            clock(seconds),
            energy("CPU Energy", "mJ", seconds, round(1000 * seconds)),
            energy("ANE0", "mJ", seconds, ane),
        ]

    mac.play(moment(1, None))
    sensor = open_energy(mac.report())
    assert not [name for name in mac.sample(sensor, moment(2, None)) if "ANE" in name]
    assert not [name for name in mac.sample(sensor, moment(3, 100)) if "ANE" in name]
    assert mac.sample(sensor, moment(4, 350))["edgeprof_energy_joules_total apple ANE"] == 0.25
    gone = mac.sample(sensor, moment(5, None))
    assert not [name for name in gone if "ANE" in name]
    assert gone["edgeprof_energy_joules_total apple CPU"] == 4.0
    sensor.close()


def test_a_unit_that_is_not_known_costs_its_block(mac: PlayedMac) -> None:
    lines = [energy("CPU Energy", "mJ", 1, 1), energy("DRAM0", "mWh", 1, 1)]
    mac.play(lines)
    sensor = open_energy(mac.report())
    assert set(mac.sample(sensor, lines)) == {"edgeprof_energy_joules_total apple CPU"}
    sensor.close()
    mac.play([energy("CPU Energy", "cal", 1, 1)])
    with pytest.raises(ReportUnavailableError, match="units that are not known"):
        open_energy(mac.report())


def test_why_there_is_no_energy(mac: PlayedMac) -> None:
    report = mac.report()
    with pytest.raises(ReportUnavailableError, match="this macOS has no IOReport group Energy Model"):
        open_energy(report)
    mac.play([energy("Total", "mJ", 1, 1)])
    with pytest.raises(
        ReportUnavailableError, match="none of the channels of IOReport's Energy Model has a known name"
    ):
        open_energy(report)
    mac.play([energy("CPU Energy", "mJ", 1, 1), ("refused", "Energy Model")])
    with pytest.raises(ReportUnavailableError, match="refuses a subscription to IOReport's Energy Model"):
        open_energy(report)


@pytest.mark.parametrize("trouble", ["no_sample", "no_delta", "fewer"])
def test_a_report_that_is_lost_is_subscribed_to_again(mac: PlayedMac, trouble: str) -> None:
    mac.play(blocks(10, 0))
    sensor = open_energy(mac.report())
    with pytest.raises(SensorLostError):
        mac.sample(sensor, [*blocks(11, 1000), ("trouble", trouble)])
    mac.sample(sensor, blocks(12, 2000))
    values = mac.sample(sensor, blocks(13, 3000))
    assert values["edgeprof_energy_joules_total apple CPU"] == 3.0  # since it was subscribed to again
    assert values["edgeprof_power_watts apple CPU"] == 3.0
    sensor.close()


def test_a_group_that_goes_away_says_so_and_may_come_back(mac: PlayedMac) -> None:
    mac.play(blocks(10, 0))
    sensor = open_energy(mac.report())
    with pytest.raises(SensorLostError):
        mac.sample(sensor, [("trouble", "no_sample")])
    with pytest.raises(SensorLostError, match="no IOReport group Energy Model"):
        mac.sample(sensor, [clock(11)])
    mac.sample(sensor, blocks(12, 0))
    assert mac.sample(sensor, blocks(13, 1000))["edgeprof_energy_joules_total apple CPU"] == 3.0
    sensor.close()
