import asyncio
import os

import psutil
import pytest

from edgeprof.device import DeviceFacts
from edgeprof_agent.ceilings.memory_bandwidth import (
    CeilingUnavailableError,
    buffer_bytes,
    measure_memory_bandwidth,
    thread_counts,
)

MIB = 1 << 20


def device(logical_cores: int) -> DeviceFacts:
    return DeviceFacts(
        device_id="device",
        hostname="device",
        architecture="any",
        logical_cores=logical_cores,
        memory_total_bytes=1 << 33,
        os="any",
        kernel="any",
        agent_version="0",
    )


@pytest.mark.parametrize(
    ("physical", "logical", "expected"),
    [
        (1, 1, (1,)),
        (2, 2, (1, 2)),
        (6, 12, (1, 2, 4, 6, 8, 12)),
        (None, 6, (1, 2, 4, 6)),
        (64, 128, (1, 2, 4, 8, 16, 32, 64, 128)),
    ],
)
def test_thread_counts(physical: int | None, logical: int, expected: tuple[int, ...]) -> None:
    assert thread_counts(physical, logical) == expected


@pytest.mark.parametrize(
    ("cache", "available", "expected"),
    [
        (4 * MIB, 64 * 1024 * MIB, 512 * MIB),
        (None, 64 * 1024 * MIB, 512 * MIB),
        (256 * MIB, 64 * 1024 * MIB, 1024 * MIB),
        (4 * MIB, 1024 * MIB, 256 * MIB),
    ],
)
def test_the_buffer_is_far_beyond_the_cache_and_within_a_quarter_of_memory(
    cache: int | None, available: int, expected: int
) -> None:
    assert buffer_bytes(cache, available) == expected


def test_too_little_memory_is_refused_with_the_figures() -> None:
    with pytest.raises(CeilingUnavailableError, match="1000 MiB of memory are available, 1024 MiB needed"):
        buffer_bytes(64 * MIB, 1000 * MIB)


def test_it_is_measured_in_a_process_of_its_own() -> None:
    measured = asyncio.run(measure_memory_bandwidth(device(os.cpu_count() or 1), seconds=0.0))
    assert measured.read_kernel in ("memchr", "memrchr", "memcmp")
    assert measured.copy_kernel in ("memcpy", "memmove")
    assert measured.read_bytes_per_second > 0
    assert measured.copy_bytes_per_second > 0
    assert 1 <= measured.read_threads <= (os.cpu_count() or 1)


def test_a_failure_of_that_process_is_told_in_one_line() -> None:
    with pytest.raises(CeilingUnavailableError, match=r"failed \(exit 1\): ValueError: .*") as failure:
        asyncio.run(measure_memory_bandwidth(device(0), seconds=0.0))
    assert "\n" not in str(failure.value)


def test_cancelling_ends_the_process() -> None:
    async def cancel() -> None:
        measuring = asyncio.ensure_future(measure_memory_bandwidth(device(1), seconds=60.0))
        while not (children := psutil.Process().children()):  # noqa: ASYNC110 - a process that starts gives no event
            await asyncio.sleep(0.01)
        measuring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await measuring
        assert not any(child.is_running() for child in children)

    asyncio.run(cancel())
