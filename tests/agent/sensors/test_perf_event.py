"""The real system call, on events that every kernel has."""

import mmap
import sys
from pathlib import Path

import pytest

from edgeprof_agent.sensors.perf_event import PerfCounter, PerfEvent, open_counter

# linux/perf_event.h
SOFTWARE, PAGE_FAULTS = 1, 2
PAGES = 64

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="perf_event_open is Linux's")


def count_own_page_faults() -> PerfCounter:
    try:
        return open_counter(PerfEvent(SOFTWARE, PAGE_FAULTS), -1, pid=0)
    except PermissionError:
        pytest.skip("perf_event_paranoid forbids it")


def touch_new_pages() -> None:
    with mmap.mmap(-1, PAGES * mmap.PAGESIZE) as memory:
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            memory.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(PAGES):
            memory[page * mmap.PAGESIZE] = 1


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_counter_counts_from_when_it_was_opened() -> None:
    counter = count_own_page_faults()
    before = counter.read()
    touch_new_pages()
    after = counter.read()
    counter.close()
    assert PAGES <= after.value - before.value < 1000 * PAGES
    assert after.enabled_ns > before.enabled_ns
    assert after.running_ns == after.enabled_ns  # software takes no turns


def test_a_closed_counter_holds_no_file() -> None:
    files = open_files()
    counter = count_own_page_faults()
    assert open_files() == files + 1
    counter.close()
    assert open_files() == files


def test_what_no_unit_counts_is_refused() -> None:
    with pytest.raises(OSError):  # noqa: PT011  which number depends on the kernel
        open_counter(PerfEvent(0xFFFF, 0), 0)
