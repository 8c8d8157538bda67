"""Lines of the forms that tegrastats has had, with values of our own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors.jetson_values import Group, JetsonValues, readings_of
from edgeprof_agent.sensors.tegrastats_line import parse_line

NANO_JETPACK_4 = (
    "RAM 612/3956MB (lfb 77x4MB) SWAP 3/1978MB (cached 0MB) IRAM 0/252kB(lfb 252kB) CPU [21%@921,3%@921,0%@921,off] "
    "EMC_FREQ 4%@1600 GR3D_FREQ 37%@614 APE 25 PLL@35C CPU@37.5C PMIC@100C GPU@36.5C AO@41C thermal@37C "
    "POM_5V_IN 2910/2644 POM_5V_GPU 204/40 POM_5V_CPU 655/510\n"
)
AGX_XAVIER_JETPACK_4 = (
    "RAM 904/31919MB (lfb 7011x4MB) SWAP 0/15960MB (cached 0MB) CPU [4%@1190,1%@1190,off,off] EMC_FREQ 2%@1065 "
    "GR3D_FREQ 9%@522 APE 150 MTS fg 0% bg 1% AO@38C GPU@38.5C Tdiode@41C PMIC@100C "
    "GPU 310/155 CPU 465/388 SOC 1087/1009 CV 0/0 VDDRQ 465/426 SYS5V 1522/1502\n"
)
ORIN_NX_JETPACK_5 = (
    "RAM 5011/15389MB (lfb 900x4MB) SWAP 0/7694MB (cached 0MB) CPU [9%@729,2%@729,off,off] EMC_FREQ 12%@3199 "
    "GR3D_FREQ 71%@[917] VIC_FREQ 729 APE 174 CV0@-256C CPU@49.062C SOC2@47.5C tj@50.312C "
    "VDD_IN 9120mW/7340mW VDD_CPU_GPU_CV 2891mW/1911mW VDD_SOC 2103mW/1987mW\n"
)
AGX_ORIN_JETPACK_5 = (
    "05-17-2024 09:41:22 RAM 7001/62800MB (lfb 3x4MB) SWAP 0/31400MB (cached 0MB) CPU [0%@2201,0%@2201] "
    "EMC_FREQ 55%@3199 GR3D_FREQ 98%@[1300,1300] cpu@51.5C tj@58.25C gpu@-256C "
    "VDD_GPU_SOC 24310mW/20100mW VDD_CPU_CV 1920mW/1800mW VIN_SYS_5V0 5061mW/5000mW NC 0mW/0mW "
    "VDDQ_VDD2_1V8AO -398mW/301mW NC 0mW/0mW\n"
)
ORIN_NANO_USER_JETPACK_6 = (
    "02-11-2025 18:03:40 RAM 2980/7620MB (lfb 5x4MB) SWAP 0/3810MB (cached 0MB) CPU [2%@729,off] GR3D_FREQ 0% "
    "cpu@47.3C soc2@46.1C tj@47.3C VDD_IN 4611mW/4602mW VDD_CPU_GPU_CV 501mW/499mW VDD_SOC 1420mW/1411mW\n"
)
THOR_JETPACK_7 = (
    "07-02-2026 11:20:05 RAM 9001/125771MB (lfb 10x4MB) SWAP 0/0MB (cached 0MB) CPU [3%@972,0%@972] "
    "EMC_FREQ 31%@4266 GR3D_FREQ @[1386,1386,1071] NVENC0_FREQ @1691 VIC off cpu@48.2C/51.5C tj@53.8C/60.1C "
    "gpu@52.9C/58.8C VDD_GPU 41200mW/20115mW/44100mW VDD_CPU_SOC_MSS 9002mW/8800mW/12010mW "
    "VIN_SYS_5V0 6100mW/6012mW/6500mW VIN 97400mW/60210mW/99100mW\n"
)
TX1_JETPACK_2 = (
    "RAM 1301/3983MB (lfb 48x4MB) SWAP 0/8192MB (cached 0MB) cpu [17%,13%,29%,5%]@408 EMC 11%@408 APE 25 GR3D 3%@76 "
    "AO@42.5C CPU@38C VDD_IN 2600/2590 VDD_CPU 90/88\n"
)
WITHOUT_RAILS = (
    "RAM 1689/3825MB (lfb 339x4MB) SWAP 0/1913MB (cached 0MB) CPU [3%@345,off,off,0%@345] EMC_FREQ 0% GR3D_FREQ 0% "
    "PLL@50.5C PMIC@50C thermal@50.3C\n"
)
ALL = (
    NANO_JETPACK_4,
    AGX_XAVIER_JETPACK_4,
    ORIN_NX_JETPACK_5,
    AGX_ORIN_JETPACK_5,
    ORIN_NANO_USER_JETPACK_6,
    THOR_JETPACK_7,
    TX1_JETPACK_2,
    WITHOUT_RAILS,
)


def parse(line: str) -> JetsonValues:
    values = parse_line(line.encode())
    assert values is not None
    return values


@pytest.mark.parametrize(
    ("line", "rails"),
    [
        (NANO_JETPACK_4, {"POM_5V_IN": 2.91, "POM_5V_GPU": 0.204, "POM_5V_CPU": 0.655}),
        (
            AGX_XAVIER_JETPACK_4,
            {"GPU": 0.31, "CPU": 0.465, "SOC": 1.087, "CV": 0.0, "VDDRQ": 0.465, "SYS5V": 1.522},
        ),
        (ORIN_NX_JETPACK_5, {"VDD_IN": 9.12, "VDD_CPU_GPU_CV": 2.891, "VDD_SOC": 2.103}),
        (
            AGX_ORIN_JETPACK_5,
            {"VDD_GPU_SOC": 24.31, "VDD_CPU_CV": 1.92, "VIN_SYS_5V0": 5.061, "VDDQ_VDD2_1V8AO": -0.398},
        ),
        (THOR_JETPACK_7, {"VDD_GPU": 41.2, "VDD_CPU_SOC_MSS": 9.002, "VIN_SYS_5V0": 6.1, "VIN": 97.4}),
        (TX1_JETPACK_2, {"VDD_IN": 2.6, "VDD_CPU": 0.09}),
        (WITHOUT_RAILS, {}),
    ],
)
def test_powers_are_those_of_now(line: str, rails: dict[str, float]) -> None:
    assert parse(line).rails_watts == rails


@pytest.mark.parametrize(
    ("line", "busy", "clocks"),
    [
        (NANO_JETPACK_4, 0.37, {"sm": 614e6}),
        (ORIN_NX_JETPACK_5, 0.71, {"sm": 917e6}),
        (AGX_ORIN_JETPACK_5, 0.98, {"gpc0": 1300e6, "gpc1": 1300e6}),
        (ORIN_NANO_USER_JETPACK_6, 0.0, {}),
        (THOR_JETPACK_7, None, {"gpc0": 1386e6, "gpc1": 1386e6, "gpc2": 1071e6}),
        (TX1_JETPACK_2, 0.03, {"sm": 76e6}),
    ],
)
def test_load_and_clocks_of_the_gpu(line: str, busy: float | None, clocks: dict[str, float]) -> None:
    values = parse(line)
    assert (values.gpu_busy_ratio, values.gpu_clocks_hertz) == (busy, clocks)


@pytest.mark.parametrize(
    ("line", "busy", "clock"),
    [
        (NANO_JETPACK_4, 0.04, 1600e6),
        (THOR_JETPACK_7, 0.31, 4266e6),
        (TX1_JETPACK_2, 0.11, 408e6),
        (WITHOUT_RAILS, 0.0, None),
        (ORIN_NANO_USER_JETPACK_6, None, None),
    ],
)
def test_share_and_clock_of_the_memory_controller(line: str, busy: float | None, clock: float | None) -> None:
    values = parse(line)
    assert (values.memory_busy_ratio, values.memory_clock_hertz) == (busy, clock)


def test_temperatures_are_those_of_now() -> None:
    assert parse(THOR_JETPACK_7).temperatures_celsius == {"cpu": 48.2, "tj": 53.8, "gpu": 52.9}
    assert parse(ORIN_NX_JETPACK_5).temperatures_celsius["CV0"] == -256.0


def test_what_cannot_be_true_gives_no_reading() -> None:
    readings = readings_of(parse(AGX_ORIN_JETPACK_5), frozenset(Group), None, "tegrastats", "/usr/bin/tegrastats")
    found = {tuple(label for _, label in channel.labels) for channel, _ in readings}
    assert ("tegrastats", "tj") in found
    assert ("tegrastats", "gpu") not in found
    assert ("tegrastats", "VDDQ_VDD2_1V8AO") not in found
    assert not [reading for reading in readings if reading.channel.metric == "edgeprof_power_total_watts"]
    assert ("tegrastats", "PMIC") not in {
        tuple(label for _, label in channel.labels)
        for channel, _ in readings_of(parse(NANO_JETPACK_4), frozenset(Group), None, "tegrastats", "/x")
    }


@pytest.mark.parametrize(
    "line",
    [
        "",
        "tegrastats: command not found\n",
        "RAM 612/3956MB (lfb 77x4MB) CPU [21%@921] EMC_FREQ 4%@16\n",
        "RAM 612/3956MB (lfb 77x4MB) CPU [21%@921,3%@9\n",
        "RAM 612/3956MB (lfb RAM 612/3956MB (lfb 77x4MB) CPU [1%@1] GPU@36C\n",
        "21%@921] EMC_FREQ 4%@1600 POM_5V_IN 2910/2644\n",
        "RAM 612/3956MB (lfb 7x4MB) VDD_IN 9120mW/7340mW VDD_SOC 21\n",
        "RAM 612/3956MB (lfb 7x4MB) VDD_IN 9120mW/7340mW cpu@4\n",
    ],
)
def test_what_is_no_whole_line_has_no_values(line: str) -> None:
    assert parse_line(line.encode()) is None


def is_part(part: JetsonValues, whole: JetsonValues) -> bool:
    """Tell whether everything in ``part`` is in ``whole``, with the same value."""
    return (
        part.rails_watts.items() <= whole.rails_watts.items()
        and part.temperatures_celsius.items() <= whole.temperatures_celsius.items()
        and part.gpu_clocks_hertz.items() <= whole.gpu_clocks_hertz.items()
        and part.gpu_busy_ratio in (None, whole.gpu_busy_ratio)
        and part.memory_busy_ratio in (None, whole.memory_busy_ratio)
        and part.memory_clock_hertz in (None, whole.memory_clock_hertz)
    )


@pytest.mark.parametrize("line", ALL)
def test_a_line_cut_anywhere_gives_no_other_value(line: str) -> None:
    whole = parse(line)
    for end in range(len(line)):
        part = parse_line(line[:end].encode() + b"\n")
        assert part is None or is_part(part, whole), line[:end]
    for start in range(1, len(line)):
        part = parse_line(line[start:].encode())
        assert part is None or is_part(part, whole), line[start:]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALL), st.integers(0, 700), st.binary(max_size=12))
def test_no_line_is_too_odd(line: str, position: int, rubbish: bytes) -> None:
    values = parse_line(line[:position].encode() + rubbish + line[position:].encode())
    if values is not None:
        for channel, value in readings_of(values, frozenset(Group), None, "tegrastats", "/usr/bin/tegrastats"):
            assert value >= 0 or channel.metric == "edgeprof_temperature_celsius"
