"""Every family of device, from its channels to its verdict."""

from dataclasses import dataclass
from functools import cache

import pytest

from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.verdict import EnergyMethod, FigureName, Flag, StepVerdict, Verdict

from .device_families import NAMES, family, family_run

DEEP_DECODE = 2
COUNTER, INTEGRATED = EnergyMethod.COUNTER, EnergyMethod.INTEGRATED
AGX_RAILS = "sum of VDD_GPU_SOC, VDD_CPU_CV, VIN_SYS_5V0, VDDQ_VDD2_1V8AO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be found: the processor, what tells the most energy and how, and what held whom back."""

    processor: str | None = "igpu"
    energy: tuple[str, EnergyMethod] | None
    held_back: tuple[tuple[str, str], ...] = ()


EXPECTED = {
    "amd-rx-6800m-laptop__arch__suspended": Expected(processor="amd0", energy=("amd1 slowPPT", INTEGRATED)),
    "amd-rx-7900-xtx__fedora-41__load": Expected(
        processor="amd0", energy=("amd0", INTEGRATED), held_back=(("amd0", "power"),)
    ),
    "amd-rx-vega-56__ubuntu-22.04__load": Expected(processor="amd0", energy=("amd0", INTEGRATED)),
    "amd-ryzen-ai-9-hx-370__ubuntu-25.04__load": Expected(
        processor="amd0", energy=("amd0 PPT", INTEGRATED), held_back=(("amd0", "power"),)
    ),
    "apple-m1-ultra__macos-26.1__load": Expected(
        processor="apple0", energy=("system", INTEGRATED), held_back=(("chip (moderate pressure)", "thermal"),)
    ),
    "apple-m5-max__macos-27.0__load-battery": Expected(processor="apple0", energy=("system", INTEGRATED)),
    "apple-virtual-machine__macos-15.6__idle": Expected(processor="cpu", energy=None),
    "asrock-b660m__ubuntu-24.04__load": Expected(
        processor="cpu",
        energy=("rapl package-0", COUNTER),
        held_back=(("CPU package 0", "thermal"), ("cores of CPU package 0", "thermal")),
    ),
    "dell-poweredge-r750__ubuntu-24.04__load": Expected(
        processor="cpu", energy=("rapl package-0", COUNTER), held_back=(("CPU package 1", "thermal"),)
    ),
    "intel-arc-b580__ubuntu-25.04__load": Expected(
        processor="intel0", energy=("intel0", COUNTER), held_back=(("intel0", "power"),)
    ),
    "intel-uhd-770__debian-12__load": Expected(processor="intel0", energy=None, held_back=(("intel0", "power"),)),
    "lenovo-thinkpad-t14-amd__fedora-41__battery": Expected(processor="cpu", energy=("xe pkg", COUNTER)),
    "nvidia-jetson-agx-orin__jetpack-5.1__maxn-root": Expected(energy=(AGX_RAILS, INTEGRATED)),
    "nvidia-jetson-agx-thor__jetpack-7.2__120w-root": Expected(
        energy=("VIN", INTEGRATED), held_back=(("supply (oc3)", "current"),)
    ),
    "nvidia-jetson-nano__jetpack-4.6__5w-root": Expected(energy=("POM_5V_IN", INTEGRATED)),
    "nvidia-jetson-orin-nano__jetpack-6.2__15w-root": Expected(
        energy=("VDD_IN", INTEGRATED), held_back=(("igpu", "thermal"), ("supply (oc3)", "current"))
    ),
    "nvidia-jetson-orin-nano__jetpack-6.2__15w-user": Expected(
        energy=("VDD_IN", INTEGRATED), held_back=(("igpu", "thermal"), ("supply (oc3)", "current"))
    ),
    "nvidia-jetson-xavier-nx__jetpack-5.1__20w-locked": Expected(
        energy=("VDD_IN", INTEGRATED), held_back=(("supply (oc2)", "current"),)
    ),
    "qemu-standard-pc__debian-12__idle": Expected(processor="cpu", energy=None),
    "raspberrypi-5__debian-12__idle": Expected(processor="cpu", energy=None),
    "nvidia": Expected(processor="gpu0", energy=("gpu0", COUNTER), held_back=(("gpu0", "power"),)),
}


@cache
def judged(name: str) -> Verdict:
    return analyse(*family_run(name))


def deep_decode(name: str) -> StepVerdict:
    return judged(name).steps[DEEP_DECODE]


@pytest.mark.parametrize("name", NAMES)
def test_what_ran_the_model_is_known_by_any_name(name: str) -> None:
    assert deep_decode(name).processor == EXPECTED[name].processor


@pytest.mark.parametrize("name", NAMES)
def test_the_clock_of_the_gpu_that_ran_the_model_is_given(name: str) -> None:
    processor = EXPECTED[name].processor
    clocks = {
        dict(key.labels)["gpu"]: value
        for key, value in family(name).channels.items()
        if key.metric == "edgeprof_gpu_clock_hertz" and dict(key.labels)["domain"] == "sm"
    }
    expected = clocks.get(processor or "", max(clocks.values(), default=None))
    for repetition in deep_decode(name).repetitions:
        assert repetition.conditions.gpu_clock_hertz == expected


@pytest.mark.parametrize("name", NAMES)
def test_energy_comes_from_a_counter_or_else_from_power(name: str) -> None:
    rails = judged(name).energy_rails
    assert list(rails) == sorted(rails, key=lambda rail: -(rail.run_joules or 0))
    first = (rails[0].scope, rails[0].method) if rails else None
    assert first == EXPECTED[name].energy
    figures = [each for each in deep_decode(name).figures if each.name is FigureName.DECODE_ENERGY]
    assert {each.scope for each in figures} == {rail.scope for rail in rails}
    methods = {rail.scope: rail.method for rail in rails}
    assert all(("integrated" in each.formula) is (methods[each.scope] is INTEGRATED) for each in figures)
    assert all(rail.idle_watts for rail in rails if rail.refresh_seconds < 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_whoever_held_the_device_back_is_named_with_its_time(name: str) -> None:
    expected = set(EXPECTED[name].held_back)
    for repetition in deep_decode(name).repetitions:
        found = {(each.place, each.reason.value) for each in repetition.throttling}
        assert found == expected
        assert [raised.flag for raised in repetition.flags] == [Flag.THROTTLED] * len(expected)
        seconds = (repetition.end_monotonic_ns - repetition.start_monotonic_ns) / 1e9
        assert all(0 < each.seconds <= seconds * 1.01 for each in repetition.throttling if each.seconds is not None)
        assert all(each.seconds or each.event_count for each in repetition.throttling)


@pytest.mark.parametrize(
    ("name", "watts"),
    [
        ("nvidia-jetson-agx-orin__jetpack-5.1__maxn-root", 32.749),
        ("nvidia-jetson-nano__jetpack-4.6__5w-root", 4.87),
        ("nvidia-jetson-agx-thor__jetpack-7.2__120w-root", 98.212),
        ("amd-rx-7900-xtx__fedora-41__load", 331),
    ],
)
def test_joules_by_integration_are_power_over_rate(name: str, watts: float) -> None:
    step = deep_decode(name)
    rate, energy = step.figure(FigureName.DECODE_RATE), step.figure(FigureName.DECODE_ENERGY)
    assert rate is not None
    assert energy is not None
    assert energy.median == pytest.approx(watts / rate.median, rel=0.04)  # the ends are placed to within a sample
    assert step.repetitions[0].conditions.power_watts == pytest.approx(watts, rel=0.04)


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("nvidia-jetson-agx-orin__jetpack-5.1__maxn-root", "igpu, of its computed peak"),
        ("amd-rx-7900-xtx__fedora-41__load", "amd0, of its computed peak"),
        ("nvidia", "gpu0, of its computed peak"),
        ("apple-m1-ultra__macos-26.1__load", "apple0, of its specified peak"),
    ],
)
def test_mbu_is_of_the_processor_that_ran_the_model(name: str, scope: str) -> None:
    mbu = deep_decode(name).figure(FigureName.MBU)
    assert mbu is not None
    assert mbu.scope == scope


@pytest.mark.parametrize(
    ("name", "source", "gigabytes_per_second"),
    [
        ("nvidia-jetson-agx-orin__jetpack-5.1__maxn-root", "system, activity_clock", 141.3),
        ("nvidia", "gpu0, hardware_counter", 511),
        ("apple-m1-ultra__macos-26.1__load", "system, hardware_counter", 40),
        ("apple-m5-max__macos-27.0__load-battery", "system, histogram", 409.6),
        ("dell-poweredge-r750__ubuntu-24.04__load", "system, hardware_counter", 20),
        ("raspberrypi-5__debian-12__idle", "", 0),
    ],
)
def test_memory_traffic_names_its_source(name: str, source: str, gigabytes_per_second: float) -> None:
    conditions = deep_decode(name).repetitions[0].conditions
    assert conditions.memory_traffic_source == source
    gigabytes = (conditions.memory_traffic_bytes_per_second or 0) / 1e9
    # A decode step's load is 0.9 of the full one; a counter that is read once a second blurs a step of two.
    assert gigabytes == pytest.approx(0.9 * gigabytes_per_second, rel=0.1)


def test_a_radio_in_a_thermal_zone_is_not_the_hottest_place() -> None:
    conditions = deep_decode("nvidia-jetson-xavier-nx__jetpack-5.1__20w-locked").repetitions[0].conditions
    assert conditions.temperature_place == "GPU-therm"
