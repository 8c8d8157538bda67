"""Bytes that memory moved, or a histogram of its bandwidth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeprof_agent.sensors.apple.io_report import ReportUnavailableError
from edgeprof_agent.sensors.apple.memory_traffic import mean_of_steps, open_memory_traffic
from tests.agent.sensors.apple.played_mac import Fields, PlayedMac, states

AMC = ("AMC Stats", "Perf Counters")
GIGABYTE = 1e9


def counter(name: str, value: int | None, unit: str = "B") -> Fields:
    return ("channel", *AMC, name, "simple", unit, 1, "-" if value is None else value)


def histogram(group: str, **times: int) -> Fields:
    return states(group, "DCS BW", "AMCC RD+WR", **times)


def test_bytes_are_those_of_all_that_ask_for_memory(mac: PlayedMac) -> None:
    def moment(moved: int) -> list[Fields]:
        names = {"DCS RD": 5, "DCS WR": 2, "GFX DCS RD": 4, "PCPU0 DCS RD": 1, "DCS RD/WR": 7}
        return [counter(name, factor * moved) for name, factor in names.items()]

    mac.play(moment(10**15))
    sensor = open_memory_traffic(mac.report())
    mac.sample(sensor, moment(10**15 + 10**9))
    assert mac.sample(sensor, moment(10**15 + 3 * 10**9)) == {
        "edgeprof_memory_moved_bytes_total read system hardware_counter": 15e9,
        "edgeprof_memory_moved_bytes_total write system hardware_counter": 6e9,
    }
    sensor.close()


def test_counters_of_two_dies_add_up_unless_one_holds_nothing(mac: PlayedMac) -> None:
    def moment(first: int, second: int | None) -> list[Fields]:
        return [counter("DIE_0_DCS RD", first, "KiB"), counter("DIE_1_DCS RD", second, "KiB")]

    mac.play(moment(0, 0))
    sensor = open_memory_traffic(mac.report())
    read = "edgeprof_memory_moved_bytes_total read system hardware_counter"
    assert mac.sample(sensor, moment(100, 200)) == {read: 300 * 1024}
    assert mac.sample(sensor, moment(200, None)) == {}
    assert mac.sample(sensor, moment(300, 50)) == {}  # since when it counts is not known
    assert mac.sample(sensor, moment(400, 150)) == {read: 200 * 1024}
    assert mac.sample(sensor, moment(1, 151)) == {}  # it began again
    sensor.close()


@pytest.mark.parametrize("group", ["PMP", "PMP0"])
def test_where_the_counters_are_refused_there_is_a_histogram(mac: PlayedMac, group: str) -> None:
    refused = [counter("DCS RD", 1), ("refused", "AMC Stats")]
    steps = {f"{32 * step:4d}GB/s": 0 for step in range(1, 33)}
    mac.play([*refused, histogram(group, **steps)])
    sensor = open_memory_traffic(mac.report())
    steps["  32GB/s"], steps[" 128GB/s"] = 50, 150
    assert mac.sample(sensor, [*refused, histogram(group, **steps)]) == {
        "edgeprof_memory_bandwidth_bytes_per_second both system histogram": (0.25 * 16 + 0.75 * 112) * GIGABYTE
    }
    assert mac.sample(sensor, [*refused, histogram(group, **steps)]) == {}  # no time was counted
    steps["1024GB/s"] += 100
    assert mac.sample(sensor, [*refused, histogram(group, **steps)]) == {}  # beyond what it can tell
    sensor.close()


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "no IOReport group AMC Stats/Perf Counters; .* PMP/DCS BW; .* PMP0/DCS BW"),
        ([counter("DCS RD", None)], "AMC Stats counts nothing; "),
        ([counter("DCS RD", 5, "events")], "AMC Stats counts in units that are not known; "),
        ([counter("DCS RD", 5), ("refused", "AMC Stats")], "refuses a subscription to IOReport's AMC Stats/Perf"),
        ([counter("GFX DCS RD", 5)], "none of the channels of IOReport's AMC Stats/Perf Counters has a known name; "),
    ],
)  # fmt: skip
def test_why_there_is_neither(mac: PlayedMac, lines: list[Fields], reason: str) -> None:
    mac.play(lines)
    with pytest.raises(ReportUnavailableError, match=reason):
        open_memory_traffic(mac.report())


@pytest.mark.parametrize(
    ("names", "times"),
    [
        ((), ()),
        (("F1", "F2"), (1, 1)),
        (("32GB/s", "16GB/s"), (1, 0)),
        (("16GB/s", "16GB/s"), (1, 0)),
        (("16GB/s", "32GB/s"), (1,)),
        (("16GB/s", "32GB/s"), (-1, 5)),
        (("16GB/s", "32GB/s"), (0, 0)),
        (("16GB/s", "32GB/s"), (8, 2)),
    ],
)
def test_histograms_that_tell_nothing(names: tuple[str, ...], times: tuple[int, ...]) -> None:
    assert mean_of_steps(names, times) is None


@given(st.lists(st.text("0123456789. GB/s", max_size=8), max_size=6), st.lists(st.integers(-5, 2**62), max_size=6))
def test_any_histogram_gives_a_bandwidth_within_its_steps_or_none(names: list[str], times: list[int]) -> None:
    mean = mean_of_steps(names, times)
    assert mean is None or 0 <= mean <= float(names[-1].removesuffix("GB/s")) * GIGABYTE
