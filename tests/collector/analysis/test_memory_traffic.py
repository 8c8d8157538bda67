"""Memory traffic in a phase: a number where the source was seen to change often enough, and else why there is none."""

import numpy as np
import pytest

from edgeprof.catalogue import channel
from edgeprof_collector.analysis.memory_traffic import memory_traffic
from edgeprof_collector.analysis.series import Series

SECOND_NS = 1_000_000_000
COUNTER = channel(
    "edgeprof_memory_moved_bytes_total", "test", memory="system", direction="read", source="hardware_counter"
)


def counter(refresh_seconds: float, read_seconds: float, bytes_per_second: float = 5e9) -> Series:
    """A counter that is brought up to date every so often, and read more often than that."""
    times = np.arange(0, 60, read_seconds)
    updates = np.floor(times / refresh_seconds + 1e-9) * refresh_seconds
    return Series(
        channel=COUNTER,
        times_monotonic_ns=(times * SECOND_NS).astype(np.int64),
        values=updates * bytes_per_second,
    )


def test_a_phase_of_several_refreshes_has_a_rate() -> None:
    traffic = memory_traffic([counter(0.1, 0.1)], "cpu", 20 * SECOND_NS, 22 * SECOND_NS)
    assert traffic is not None
    assert traffic.bytes_per_second == pytest.approx(5e9, rel=0.01)
    assert traffic.missing == ""


@pytest.mark.parametrize("read_seconds", [0.1, 1.0])
def test_a_phase_shorter_than_two_refreshes_is_too_short(read_seconds: float) -> None:
    """However often it is read."""
    traffic = memory_traffic([counter(1.0, read_seconds)], "cpu", 20 * SECOND_NS, 21 * SECOND_NS)
    assert traffic is not None
    assert traffic.bytes_per_second is None
    assert traffic.missing == "too short: 1 s, and it is known every 1 s"


def test_memory_that_rests_is_known_as_often_as_it_is_read() -> None:
    traffic = memory_traffic([counter(0.1, 0.1, bytes_per_second=0.0)], "cpu", 20 * SECOND_NS, 21 * SECOND_NS)
    assert traffic is not None
    assert (traffic.bytes_per_second, traffic.missing) == (0.0, "")
