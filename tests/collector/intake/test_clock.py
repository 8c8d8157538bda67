"""Where a device's monotonic times are placed on the wall clock."""

from edgeprof_collector.intake.clock import DeviceClock

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = 1_750_000_000 * SECOND
BOOT = b"this boot"


def near(time_ns: int) -> range:
    """Within what a clock may drift in a minute."""
    return range(time_ns - SECOND // 100, time_ns + SECOND // 100)


def clock_at(uptime_ns: int) -> DeviceClock:
    """A clock that has heard a hello at NOW."""
    clock = DeviceClock()
    clock.hello(BOOT, uptime_ns, NOW)
    return clock


def test_what_waited_in_the_spool_is_placed_when_it_was_sampled() -> None:
    clock = clock_at(5 * HOUR)
    assert clock.place(BOOT, HOUR, HOUR + SECOND, NOW + SECOND) in near(NOW - 4 * HOUR)


def test_the_least_delayed_message_counts() -> None:
    clock = DeviceClock()
    clock.hello(BOOT, 100 * SECOND, NOW + 3 * SECOND)  # it took 3 s to come
    assert clock.place(BOOT, 100 * SECOND, 101 * SECOND, NOW + 1 * SECOND) == NOW
    assert clock.place(BOOT, 102 * SECOND, 103 * SECOND, NOW + 9 * SECOND) in near(NOW + 2 * SECOND)


def test_nothing_ends_in_the_future() -> None:
    clock = clock_at(100 * SECOND)
    assert clock.place(BOOT, 10**9 * SECOND, (10**9 + 5) * SECOND, NOW) == NOW - 5 * SECOND
    assert clock.place(BOOT, 90 * SECOND, 91 * SECOND, NOW) == NOW - 10 * SECOND  # nonsense taught nothing


def test_a_slow_clock_is_followed() -> None:
    """After a day at 50 ppm the device's clock is 4.3 s behind; its frames must not fall behind with it."""
    clock = clock_at(0)
    for second in range(0, 86_400, 10):
        uptime = round(second * SECOND * (1 - 50e-6))
        assert clock.place(BOOT, uptime, uptime, NOW + second * SECOND) in near(NOW + second * SECOND)


def test_a_device_that_slept_is_placed_anew_by_its_hello() -> None:
    clock = clock_at(100 * SECOND)
    clock.hello(BOOT, 110 * SECOND, NOW + 8 * HOUR)
    assert clock.place(BOOT, 111 * SECOND, 112 * SECOND, NOW + 8 * HOUR + 2 * SECOND) in near(NOW + 8 * HOUR + SECOND)


def test_a_slow_hello_is_no_sleep() -> None:
    clock = clock_at(100 * SECOND)
    clock.hello(BOOT, 110 * SECOND, NOW + 15 * SECOND)
    assert clock.place(BOOT, 110 * SECOND, 111 * SECOND, NOW + 60 * SECOND) in near(NOW + 10 * SECOND)


def test_a_boot_that_no_hello_named_is_placed_no_later_than_it_came() -> None:
    clock = clock_at(0)
    assert clock.place(b"an earlier boot", 10 * SECOND, 12 * SECOND, NOW) == NOW - 2 * SECOND


def test_few_boots_are_remembered() -> None:
    clock = clock_at(5 * HOUR)
    for number in range(100):
        clock.hello(str(number).encode(), 0, NOW)
    late = clock.place(BOOT, 0, SECOND, NOW + HOUR)
    assert late == NOW + HOUR - SECOND  # forgotten, so placed by its arrival
