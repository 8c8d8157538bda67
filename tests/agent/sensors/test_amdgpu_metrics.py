import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors.amdgpu_metrics import GpuMetrics, parse_gpu_metrics, throttle_reasons
from tests.agent.sensors.amdgpu_structs import STRUCTS, table

REVISIONS = sorted(STRUCTS)
NO_REASON = {"power": False, "current": False, "thermal": False, "other": False}


def parse(content: bytes) -> GpuMetrics:
    metrics = parse_gpu_metrics(content)
    assert metrics is not None
    return metrics


def with_field(name: str) -> list[tuple[int, int]]:
    return [revision for revision in REVISIONS if f" {name}:" in f" {STRUCTS[revision]}"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_fields_whose_bits_are_all_set_are_absent(revision: tuple[int, int]) -> None:
    assert parse(table(revision)) == GpuMetrics()


@pytest.mark.parametrize("revision", with_field("memory_busy"))
def test_how_busy_memory_is(revision: tuple[int, int]) -> None:
    assert parse(table(revision, memory_busy=74)).memory_busy_ratio == 0.74
    assert parse(table(revision, memory_busy=101)).memory_busy_ratio is None


@pytest.mark.parametrize("revision", with_field("energy"))
def test_energy_where_its_unit_is_stated(revision: tuple[int, int]) -> None:
    assert parse(table(revision, energy=3 * 2**16 + 2**15)).energy_joules == 3.5


@pytest.mark.parametrize("revision", [(1, 0), (1, 1), (1, 2), (1, 3)])
def test_no_energy_where_its_unit_is_not_stated(revision: tuple[int, int]) -> None:
    assert parse(table(revision, joules=17_000_000)).energy_joules is None


@pytest.mark.parametrize("revision", with_field("throttle"))
def test_throttling_now(revision: tuple[int, int]) -> None:
    assert parse(table(revision, throttle=1 << 1 | 1 << 36)).throttled == {**NO_REASON, "power": True, "thermal": True}
    assert parse(table(revision, throttle=0)).throttled == NO_REASON


@pytest.mark.parametrize("revision", with_field("ppt"))
def test_how_long_limiters_held_on_a_card(revision: tuple[int, int]) -> None:
    residencies = parse(table(revision, prochot=1, ppt=2, socket=3, regulator=4, memory=5)).residencies
    assert residencies == {
        "thermal prochot": 1,
        "power ppt": 2,
        "thermal socket": 3,
        "thermal regulator": 4,
        "thermal memory": 5,
    }


def test_an_apu_with_bandwidth() -> None:
    content = table(
        (3, 0),
        dram_reads=38_211,
        dram_writes=6_120,
        gfx_power=17_400,
        cores_power=8_250,
        prochot=1,
        sustained=2,
        fast=3,
        slow=4,
        core=5,
        gfx=6,
        soc=7,
    )
    assert parse(content) == GpuMetrics(
        dram_read_bytes_per_second=38.211e9,
        dram_write_bytes_per_second=6.12e9,
        powers_watts={"gfx": 17.4, "cores": 8.25},
        residencies={
            "thermal prochot": 1,
            "power sustained": 2,
            "power fast": 3,
            "power slow": 4,
            "thermal core": 5,
            "thermal gfx": 6,
            "thermal soc": 7,
        },
    )


def test_what_follows_a_table_is_passed_over() -> None:
    content = table((1, 3), memory_busy=36)
    assert parse_gpu_metrics(content + bytes(4096 - len(content))) == parse_gpu_metrics(content)


def test_a_table_that_is_cut_short_or_of_another_size_or_unknown_is_none() -> None:
    content = table((1, 3), memory_busy=36)
    assert parse_gpu_metrics(content[:-1]) is None
    assert parse_gpu_metrics(content[:3]) is None
    assert parse_gpu_metrics(b"\x70" + content[1:]) is None
    assert parse_gpu_metrics(content[:2] + b"\x09\x00" + content[4:]) is None
    assert parse_gpu_metrics(b"") is None


def test_a_draft_of_the_table_for_partitions_is_refused_by_its_size() -> None:
    assert parse_gpu_metrics(b"\x80\x01\x01\x06" + b"\x01" * 380) is None


@pytest.mark.parametrize(
    ("bit", "reason"),
    [(0, "power"), (15, "power"), (16, "current"), (23, "current"), (32, "thermal"), (47, "thermal"), (56, "other")],
)
def test_each_bit_is_one_reason(bit: int, reason: str) -> None:
    assert throttle_reasons(1 << bit) == {**NO_REASON, reason: True}


@settings(max_examples=200)
@given(st.sampled_from(REVISIONS), st.binary(max_size=600), st.booleans())
def test_any_bytes_give_true_values_or_none(revision: tuple[int, int], body: bytes, has_header: bool) -> None:
    size = min(len(table(revision)), 600)
    header = size.to_bytes(2, "little") + bytes(revision)
    metrics = parse_gpu_metrics(header + body if has_header else body)
    if metrics is not None:
        assert metrics.memory_busy_ratio is None or 0 <= metrics.memory_busy_ratio <= 1
        assert metrics.dram_read_bytes_per_second is None or 0 <= metrics.dram_read_bytes_per_second < 65.535e9
        assert all(0 <= watts < 4294968 for watts in metrics.powers_watts.values())
