import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors.jetson_power_mode import PowerMode, parse_power_mode

TABLE = """
# < POWER_MODEL ID=1 NAME=COMMENTED_OUT >
< PARAM TYPE=FILE NAME=CPU_ONLINE >
< POWER_MODEL ID=0 NAME=15W >
CPU_ONLINE CORE_0 1
CPU_ONLINE CORE_1 1
CPU_ONLINE CORE_2 0
CPU_A78_0 MIN_FREQ 729600
CPU_A78_0 MAX_FREQ 1497600
CPU_A78_1 MAX_FREQ 1510400
GPU MAX_FREQ 612000000
EMC MAX_FREQ 4266000000

< POWER_MODEL ID=1 NAME=MAXN >
CPU_ONLINE CORE_0 1
CPU_A78_0 MAX_FREQ 2147483647
GPU MAX_FREQ -1
EMC MAX_FREQ 0

< PM_CONFIG DEFAULT=1 >
"""
FIFTEEN = PowerMode(name="15W", cores=2, cpu_hertz=1510.4e6, gpu_hertz=612e6, memory_hertz=4266e6)
MAXN = PowerMode(name="MAXN", cores=1)


@pytest.mark.parametrize(
    ("status", "mode"),
    [("pmode:0000", FIFTEEN), ("pmode:0001 fmode:quiet", MAXN), ("", MAXN), ("pmode:0007", None), ("garbage", MAXN)],
)
def test_the_mode_in_force_is_the_one_chosen_or_else_the_default(status: str, mode: PowerMode | None) -> None:
    assert parse_power_mode(status, TABLE) == mode


def test_a_table_without_a_default_names_no_mode() -> None:
    assert parse_power_mode("", "< POWER_MODEL ID=0 NAME=15W >") is None


def test_a_mode_is_described_with_its_limits() -> None:
    assert FIFTEEN.describe() == "15W (2 cores, CPU 1510 MHz, GPU 612 MHz, memory 4266 MHz)"
    assert PowerMode(name="MAXN").describe() == "MAXN"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.lists(st.sampled_from(TABLE.splitlines()), max_size=30), st.text(max_size=60))
def test_no_table_is_too_odd(status: str, lines: list[str], text: str) -> None:
    mode = parse_power_mode(status, "\n".join([*lines, text]))
    assert mode is None or mode.name in ("15W", "MAXN") or mode.name in text
