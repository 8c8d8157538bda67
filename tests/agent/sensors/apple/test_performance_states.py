"""Clocks, and how busy the GPU is, from times in states."""

import struct

import pytest

from edgeprof_agent.sensors.apple.frequency_tables import core_clocks_hertz, gpu_clocks_hertz
from edgeprof_agent.sensors.apple.io_report import ReportUnavailableError
from edgeprof_agent.sensors.apple.performance_states import open_cores, open_gpu, state_times
from tests.agent.sensors.apple.played_mac import Fields, PlayedMac, states

MANAGER = ("service", "AppleARMIODevice", "pmgr")
GPU = ("GPU Stats", "GPU Performance States", "GPUPH")
CORES = ("CPU Stats", "CPU Core Performance States")
M5_CLUSTERS = "1600000000000000" + "1701000000000000" + "0502000000000000"


def table(key: str, *clocks: int) -> Fields:
    content = b"".join(struct.pack("<II", clock, 700) for clock in clocks)
    return ("property", "AppleARMIODevice", "pmgr", key, "data", content.hex())


MEGA = 1_000_000
HERTZ = [
    MANAGER,
    table("voltage-states1-sram", 600 * MEGA, 1200 * MEGA),
    table("voltage-states5-sram", 800 * MEGA, 3200 * MEGA),
    table("voltage-states9", 0, 400 * MEGA, 1000 * MEGA),
]
KILOHERTZ = [
    MANAGER,
    table("voltage-states23-sram", 1_020_000, 4_056_000),
    table("voltage-states5-sram", 1_308_000, 4_608_000),
    table("voltage-states9-sram", 338 * MEGA, 1620 * MEGA),
    ("property", "AppleARMIODevice", "pmgr", "acc-clusters", "data", M5_CLUSTERS),
]


def test_tables_in_hertz_and_in_kilohertz(mac: PlayedMac) -> None:
    registry = mac.find().registry
    assert gpu_clocks_hertz(registry) == ()
    assert core_clocks_hertz(registry) == {}
    mac.play(HERTZ)
    assert gpu_clocks_hertz(registry) == (4e8, 1e9)
    assert core_clocks_hertz(registry) == {"E": (6e8, 1.2e9), "P": (8e8, 3.2e9)}
    mac.play(KILOHERTZ)
    assert gpu_clocks_hertz(registry) == (3.38e8, 1.62e9)
    assert core_clocks_hertz(registry) == {"M": (1.02e9, 4.056e9), "P": (1.308e9, 4.608e9)}


@pytest.mark.parametrize("content", ["", "00", "ff" * 7, "ff" * 1023])
def test_tables_that_are_cut_short(mac: PlayedMac, content: str) -> None:
    keys = ("acc-clusters", "voltage-states5-sram", "voltage-states9")
    mac.play([MANAGER, *(("property", "AppleARMIODevice", "pmgr", key, "data", content) for key in keys)])
    registry = mac.find().registry
    assert len(gpu_clocks_hertz(registry)) == len(content) // 16
    assert len(core_clocks_hertz(registry).get("P", ())) == len(content) // 16


def test_a_table_that_is_no_data_is_absent(mac: PlayedMac) -> None:
    mac.play([MANAGER, ("property", "AppleARMIODevice", "pmgr", "voltage-states9", "int", 5)])
    assert gpu_clocks_hertz(mac.find().registry) == ()


def test_the_gpu_is_busy_for_the_time_that_it_was_not_off(mac: PlayedMac) -> None:
    mac.play([*HERTZ, states(*GPU, OFF=1000, P1=0, P2=10)])
    sensor = open_gpu(mac.report(), mac.find().registry)
    assert mac.sample(sensor, [*HERTZ, states(*GPU, OFF=1000, P1=0, P2=10)]) == {}  # no time has passed
    assert mac.sample(sensor, [*HERTZ, states(*GPU, OFF=1600, P1=300, P2=110)]) == {
        "edgeprof_gpu_busy_ratio apple0": 0.4,
        "edgeprof_gpu_clock_hertz sm apple0": 5.5e8,
    }
    assert mac.sample(sensor, [*HERTZ, states(*GPU, OFF=2600, P1=300, P2=110)]) == {
        "edgeprof_gpu_busy_ratio apple0": 0.0  # an idle GPU has no clock
    }
    assert mac.sample(sensor, [*HERTZ, states(*GPU, OFF=5, P1=300, P2=110)]) == {}  # it began again, after a sleep
    sensor.close()


def test_states_that_are_not_the_table_s_give_no_clock(mac: PlayedMac) -> None:
    mac.play([*HERTZ, states(*GPU, OFF=0, P1=0, P2=0, P3=0)])
    sensor = open_gpu(mac.report(), mac.find().registry)
    values = mac.sample(sensor, [*HERTZ, states(*GPU, OFF=1, P1=1, P2=1, P3=1)])
    assert values == {"edgeprof_gpu_busy_ratio apple0": 0.75}
    sensor.close()


def test_each_core_has_the_clocks_of_its_kind(mac: PlayedMac) -> None:
    def moment(lines: list[Fields], time: int) -> list[Fields]:
        names = ("ECPU000", "PCPU010", "DIE_1_PCPU1_CPU3", "MCPU12", "PCPM", "CPU Complex")
        return [*lines, *(states(*CORES, name, IDLE=9 * time, DOWN=0, V0P1=time, V1P0=3 * time) for name in names)]

    for lines, expected in (
        (HERTZ, {"ECPU000": 1.05e9, "PCPU010": 2.6e9, "DIE_1_PCPU1_CPU3": 2.6e9}),
        (KILOHERTZ, {"PCPU010": 3.783e9, "DIE_1_PCPU1_CPU3": 3.783e9, "MCPU12": 3.297e9}),
    ):
        mac.play(moment(lines, 1000))
        sensor = open_cores(mac.report(), mac.find().registry)
        values = mac.sample(sensor, moment(lines, 3000))
        assert values == {f"edgeprof_cpu_frequency_hertz {core}": hertz for core, hertz in expected.items()}
        sensor.close()


def test_why_there_are_no_states(mac: PlayedMac) -> None:
    report, registry = mac.report(), mac.find().registry
    with pytest.raises(ReportUnavailableError, match="no IOReport group GPU Stats/GPU Performance States"):
        open_gpu(report, registry)
    mac.play([states("CPU Stats", "CPU Core Performance States", "Socket 0", IDLE=1)])
    with pytest.raises(ReportUnavailableError, match=r"none of the channels .* has a known name"):
        open_cores(report, registry)


def test_counts_that_do_not_fit_their_names() -> None:
    assert state_times(("OFF", "P1"), (1,)) is None
    assert state_times(("OFF", "P1"), (1, -1)) is None
