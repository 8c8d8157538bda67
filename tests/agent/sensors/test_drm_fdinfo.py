from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors.drm_engine_time import EngineTime
from edgeprof_agent.sensors.drm_fdinfo import DrmClient, parse_fdinfo

SLOT = "0000:03:00.0"
HEAD = f"pos:\t0\nflags:\t0100002\ndrm-driver:\txe\ndrm-client-id:\t3\ndrm-pdev:\t{SLOT}\n"


def parse(text: str) -> DrmClient:
    client = parse_fdinfo(HEAD + text)
    assert client is not None
    return client


def test_engines_by_time_without_their_capacities() -> None:
    client = parse(
        "drm-engine-gfx:\t9000 ns\ndrm-engine-enc_1:\t7 ns\ndrm-engine-capacity-gfx:\t2\ndrm-engine-dec:\tmany\n"
    )
    assert client.engine_ns == {"gfx": 9000, "enc_1": 7}
    assert client.engine_cycles == {}


def test_engines_by_cycles_need_both_counts() -> None:
    client = parse("drm-cycles-rcs:\t5\ndrm-total-cycles-rcs:\t100\ndrm-cycles-ccs:\t6\ndrm-total-cycles-vcs:\t7\n")
    assert client.engine_cycles == {"rcs": (5, 100)}
    assert client.engine_ns == {}


def test_memory_in_use_comes_before_what_was_allocated() -> None:
    client = parse(
        "drm-resident-vram0:\t2 MiB\ndrm-total-vram0:\t9 MiB\ndrm-total-vram1:\t3 KiB\ndrm-shared-vram0:\t1\n"
    )
    assert client.device_bytes == 2 * 2**20 + 3 * 2**10
    assert client.host_bytes is None


def test_memory_of_the_host_is_told_from_the_devices() -> None:
    client = parse(
        "drm-memory-vram:\t7 KiB\ndrm-memory-gtt: \t5 KiB\ndrm-memory-cpu:\t1 KiB\ndrm-total-stolen-system0:\t900\n"
    )
    assert (client.device_bytes, client.host_bytes) == (7 * 2**10, 6 * 2**10)
    client = parse("drm-resident-system0:\t512\ndrm-resident-local0:\t0\n")
    assert (client.device_bytes, client.host_bytes) == (0, 512)


def test_sizes_that_cannot_be_read_are_absent() -> None:
    client = parse("drm-total-vram0:\t-1\ndrm-resident-vram0:\t7 GiB\ndrm-memory-gtt:\n")
    assert (client.device_bytes, client.host_bytes) == (None, None)


def test_what_is_no_card() -> None:
    assert parse_fdinfo("") is None
    assert parse_fdinfo("pos:\t0\nflags:\t02\nmnt_id:\t25\n") is None
    assert parse_fdinfo(f"drm-driver:\tamdgpu\ndrm-pdev:\t{SLOT}\n") is None
    assert parse_fdinfo("drm-driver:\tpanfrost\ndrm-client-id:\t3\n") is None


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["engine-", "cycles-", "total-cycles-", "resident-", "memory-", "total-", "engine-capacity-"]
            ),
            st.sampled_from(["gfx", "rcs", "vram0", "gtt", "", "cycles-rcs"]),
            st.one_of(st.text(max_size=12), st.from_regex(r"\d{1,20}( ns| KiB| MiB)?", fullmatch=True)),
        ),
        max_size=12,
    )
)
def test_any_text_gives_counts_or_none(lines: list[tuple[str, str, str]]) -> None:
    client = parse("".join(f"drm-{kind}{name}:\t{value}\n" for kind, name, value in lines))
    counts = [*client.engine_ns.values(), *(count for pair in client.engine_cycles.values() for count in pair)]
    assert all(count >= 0 for count in counts)
    assert all(size is None or size >= 0 for size in (client.device_bytes, client.host_bytes))


def timed(number: str, **engine_ns: int) -> DrmClient:
    return DrmClient(slot=SLOT, number=number, engine_ns=engine_ns)


def cycled(busy: int, total: int) -> DrmClient:
    return DrmClient(slot=SLOT, number="3", engine_cycles={"ccs": (busy, total)})


def test_what_a_user_gained_stays_when_it_is_gone() -> None:
    time = EngineTime()
    assert time.advance([timed("1", gfx=2 * 10**9), timed("2", gfx=10**9)], 0.0) == {(SLOT, "gfx"): 3.0}
    assert time.advance([timed("2", gfx=2 * 10**9)], 1.0) == {(SLOT, "gfx"): 4.0}
    assert time.advance([], 2.0) == {(SLOT, "gfx"): 4.0}


def test_a_count_that_falls_is_waited_for() -> None:
    time = EngineTime()
    time.advance([timed("1", gfx=5 * 10**9)], 0.0)
    assert time.advance([timed("1", gfx=4 * 10**9)], 1.0) == {(SLOT, "gfx"): 5.0}
    assert time.advance([timed("1", gfx=6 * 10**9)], 2.0) == {(SLOT, "gfx"): 6.0}


def test_cycles_become_seconds_by_their_share() -> None:
    time = EngineTime()
    assert time.advance([cycled(1000, 50_000)], 10.0) == {(SLOT, "ccs"): 0.0}
    assert time.advance([cycled(1750, 51_000)], 12.0) == {(SLOT, "ccs"): 1.5}
    assert time.advance([cycled(1750, 52_000)], 14.0) == {(SLOT, "ccs"): 1.5}
    assert time.advance([cycled(1250, 51_500)], 16.0) == {(SLOT, "ccs"): 1.5}
    assert time.advance([cycled(2750, 54_000)], 18.0) == {(SLOT, "ccs"): 3.5}
