import os
import threading

import pytest

from edgeprof_agent.sampling.clock import MonotonicClock

LONG_NS = 3600 * 10**9


def test_a_wait_ends_at_its_deadline() -> None:
    clock = MonotonicClock()
    deadline_ns = clock.monotonic_ns() + 2_000_000
    while clock.monotonic_ns() < deadline_ns:
        clock.wait_until(deadline_ns)
    clock.wait_until(deadline_ns)  # in the past by now
    clock.close()


def test_a_wait_ends_when_another_thread_wakes_it() -> None:
    clock = MonotonicClock()
    thread = threading.Thread(target=clock.wake)
    thread.start()
    clock.wait_until(clock.monotonic_ns() + LONG_NS)
    thread.join()
    clock.close()


def test_a_wake_before_the_wait_ends_it_and_ends_no_other() -> None:
    clock = MonotonicClock()
    for _ in range(100_000):  # more than a pipe holds
        clock.wake()
    reached_ns = 0
    deadline_ns = clock.monotonic_ns() + 2_000_000
    while reached_ns < deadline_ns:
        clock.wait_until(deadline_ns)
        reached_ns = clock.monotonic_ns()
    clock.close()


def test_a_wake_after_the_close_reaches_nobody_else() -> None:
    clock = MonotonicClock()
    clock.close()
    receiver, sender = os.pipe()  # takes the numbers that the clock had
    os.set_blocking(receiver, False)
    clock.wake()
    with pytest.raises(BlockingIOError):
        os.read(receiver, 1)
    os.close(receiver)
    os.close(sender)
