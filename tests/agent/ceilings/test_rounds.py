import ctypes
import time
from itertools import pairwise

import pytest

from edgeprof_agent.ceilings.kernels import FILL, Kernel
from edgeprof_agent.ceilings.rounds import fastest, filled_buffer

SIZE = 1 << 20
SLEEP_SECONDS = 0.02


def sleeper(name: str, bytes_moved: int) -> Kernel:
    return Kernel(name, lambda *_: time.sleep(SLEEP_SECONDS), lambda _: bytes_moved)


def test_the_buffer_is_written_to_before_it_is_used() -> None:
    with filled_buffer(SIZE, 3) as address:
        assert ctypes.string_at(address, SIZE) == bytes([FILL]) * SIZE


@pytest.mark.parametrize("threads", [1, 4])
def test_a_rate_is_never_more_than_the_threads_can_move_in_the_time(threads: int) -> None:
    rate = fastest([sleeper("slow", 1000)], [threads], 0, SIZE, 0.0)
    assert 0 < rate.bytes_per_second <= threads * 1000 / SLEEP_SECONDS
    assert (rate.kernel, rate.threads) == ("slow", threads)


def test_the_fastest_kernel_wins() -> None:
    rate = fastest([sleeper("slow", 1), sleeper("fast", 10**9)], [1, 2], 0, SIZE, 0.0)
    assert rate.kernel == "fast"


def test_threads_work_on_parts_that_do_not_overlap() -> None:
    seen: list[tuple[int, int]] = []
    kernel = Kernel("note", lambda address, size: seen.append((address, size)), lambda size: size)
    fastest([kernel], [4], 0, SIZE, 0.0)
    parts = sorted(set(seen))
    assert len(parts) >= 4
    assert all(address + size <= following for (address, size), (following, _) in pairwise(parts))
    assert parts[-1][0] + parts[-1][1] <= SIZE


def test_what_fails_in_a_thread_is_raised() -> None:
    def fail(address: int, size: int) -> None:
        raise OSError("no memory")

    with pytest.raises(OSError, match="no memory"):
        fastest([Kernel("broken", fail, lambda size: size)], [1], 0, SIZE, 0.0)
