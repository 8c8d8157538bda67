"""The text files of AMD GPUs, and what follows from them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors.amdgpu_levels import Levels, parse_levels
from edgeprof_agent.sensors.amdgpu_memory import find_memory, transfers_per_clock
from edgeprof_agent.sensors.amdgpu_pcie import parse_traffic


@pytest.mark.parametrize(
    ("content", "levels"),
    [
        (b"0: 500Mhz \n1: 2433Mhz *\n2: 2526Mhz \n", Levels(2433e6, 2526e6)),
        (b"0: 255Mhz\n1: 0Mhz *\n2: 1841Mhz\n", Levels(None, 1841e6)),  # switched off
        (b"S: 19Mhz *\n0: 600Mhz \n1: 2900Mhz \n", Levels(19e6, 2900e6)),  # in deep sleep
        (b"0: 1600Mhz *\n1: 400Mhz \n" + bytes(4000), Levels(1600e6, 1600e6)),
        (b"0: 96Mhz *\n1: 1000Mhz *\n", Levels(None, 1000e6)),  # two cannot both be in use
        (b"0: 0Mhz *\n", Levels(None, None)),
        (b"", Levels(None, None)),
        (bytes(4096), Levels(None, None)),
    ],
)
def test_levels(content: bytes, levels: Levels) -> None:
    assert parse_levels(content) == levels


@settings(max_examples=100)
@given(st.one_of(st.binary(max_size=200), st.from_regex(rb"([0-9S]: ?\d{0,8}Mhz ?\*?\n){0,6}", fullmatch=True)))
def test_any_levels_are_clocks_or_none(content: bytes) -> None:
    for hertz in parse_levels(content):
        assert hertz is None or 1e6 <= hertz < 1e12


def test_traffic_is_messages_times_the_largest_payload() -> None:
    assert parse_traffic(b"6641 815 256\n") == (6641 * 256, 815 * 256)
    assert parse_traffic(b"0 0 256\n" + bytes(100)) == (0, 0)


@pytest.mark.parametrize("content", [b"", bytes(64), b"1 2", b"1 2 0", b"1 2 -1", b"1 2 3 4", b"-1 2 256"])
def test_what_is_no_traffic(content: bytes) -> None:
    assert parse_traffic(content) is None


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_traffic_is_no_less_than_nothing(content: bytes) -> None:
    traffic = parse_traffic(content)
    assert traffic is None or min(traffic) >= 0


def node(root: Path, number: int, bank: str, **properties: int) -> None:
    folder = root / f"sys/class/kfd/kfd/topology/nodes/{number}"
    (folder / "mem_banks/0").mkdir(parents=True)
    (folder / "properties").write_text("".join(f"{name} {value}\n" for name, value in properties.items()))
    (folder / "mem_banks/0/properties").write_text(bank)


def bank(width: int, clock_mhz: int) -> str:
    return f"heap_type 1\nsize_in_bytes 21458059264\nflags 0\nwidth {width}\nmem_clk_max {clock_mhz}\n"


# Data sheets: RX 7900 XT 800 GB/s, RX 7900 XTX 960, Vega 56 410, MI100 1229, RX 9070 XT 640, RX 6900 XT 512.
@pytest.mark.parametrize(
    ("gfx", "bits", "mhz", "gigabytes"),
    [
        (110000, 320, 1249, 799.36),
        (110000, 384, 1249, 959.232),
        (90000, 2048, 800, 409.6),
        (90008, 4096, 1200, 1228.8),
        (120001, 256, 1258, 644.096),
        (100300, 256, 1000, 512.0),
    ],
)
def test_peak_bandwidth_is_clock_times_transfers_times_width(
    gfx: int, bits: int, mhz: int, gigabytes: float, tmp_path: Path
) -> None:
    node(tmp_path, 0, bank(0, 0), location_id=0, domain=0)
    node(tmp_path, 1, bank(bits, mhz), location_id=0x0300, domain=0, gfx_target_version=gfx)
    memory = find_memory(tmp_path, "0000:03:00.0")
    assert memory is not None
    assert memory.peak_bytes_per_second(memory.clock_max_hertz) == pytest.approx(gigabytes * 1e9)
    assert memory.double_rate_clock_hertz * 2 * bits / 8 == pytest.approx(gigabytes * 1e9)


def test_the_memory_of_another_card_or_of_the_host_is_not_taken(tmp_path: Path) -> None:
    node(tmp_path, 1, bank(384, 1249), location_id=0x0300, domain=1, gfx_target_version=110000)
    node(tmp_path, 2, bank(128, 2400), location_id=0x1300, domain=0, gfx_target_version=100306)
    node(tmp_path, 3, bank(256, 1000), location_id=0x0418, domain=0, gfx_target_version=100300)
    assert find_memory(tmp_path, "0000:03:00.0") is None
    assert find_memory(tmp_path, "0000:13:00.0") is None  # an APU: whether DDR5 or LPDDR5, no file tells
    assert find_memory(tmp_path, "0000:04:03.0") is not None
    assert find_memory(tmp_path, "nonsense") is None


def test_generations_whose_memory_is_not_known_have_no_rate() -> None:
    assert [transfers_per_clock(gfx) for gfx in (0, 80003, 90002, 90402, 100303, 110003, 110501, 130000)] == [None] * 8
