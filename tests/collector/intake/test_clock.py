"""Where a device's monotonic times are placed on the wall clock."""

from edgeprof.telemetry import Placement
from edgeprof.v1.uplink_pb2 import ClockStretch
from edgeprof_collector.intake.clock import DeviceClock, Placed

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = 1_800_000_000 * SECOND
BOOT = b"this boot"
EARLIER = b"the boot before"


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
    assert clock.place(BOOT, HOUR, HOUR + SECOND, NOW + SECOND).wall_ns in near(NOW - 4 * HOUR)


def test_the_least_delayed_message_counts() -> None:
    clock = DeviceClock()
    clock.hello(BOOT, 100 * SECOND, NOW + 3 * SECOND)  # it took 3 s to come
    assert clock.place(BOOT, 100 * SECOND, 101 * SECOND, NOW + 1 * SECOND).wall_ns == NOW
    assert clock.place(BOOT, 102 * SECOND, 103 * SECOND, NOW + 9 * SECOND).wall_ns in near(NOW + 2 * SECOND)


def test_nothing_ends_in_the_future() -> None:
    clock = clock_at(100 * SECOND)
    assert clock.place(BOOT, 10**9 * SECOND, (10**9 + 5) * SECOND, NOW).wall_ns == NOW - 5 * SECOND
    assert clock.place(BOOT, 90 * SECOND, 91 * SECOND, NOW).wall_ns == NOW - 10 * SECOND  # nonsense taught nothing


def test_a_slow_clock_is_followed() -> None:
    """After a day at 50 ppm the device's clock is 4.3 s behind; its frames must not fall behind with it."""
    clock = clock_at(0)
    for second in range(0, 86_400, 10):
        uptime = round(second * SECOND * (1 - 50e-6))
        assert clock.place(BOOT, uptime, uptime, NOW + second * SECOND).wall_ns in near(NOW + second * SECOND)


def test_a_device_that_slept_is_placed_anew_by_its_hello() -> None:
    clock = clock_at(100 * SECOND)
    clock.hello(BOOT, 110 * SECOND, NOW + 8 * HOUR)
    assert clock.place(BOOT, 111 * SECOND, 112 * SECOND, NOW + 8 * HOUR + 2 * SECOND).wall_ns in near(
        NOW + 8 * HOUR + SECOND
    )


def test_a_slow_hello_is_no_sleep() -> None:
    clock = clock_at(100 * SECOND)
    clock.hello(BOOT, 110 * SECOND, NOW + 15 * SECOND)
    assert clock.place(BOOT, 110 * SECOND, 111 * SECOND, NOW + 60 * SECOND).wall_ns in near(NOW + 10 * SECOND)


def test_a_boot_that_no_hello_named_is_placed_no_later_than_it_came() -> None:
    clock = clock_at(0)
    assert clock.place(b"an earlier boot", 10 * SECOND, 12 * SECOND, NOW).wall_ns == NOW - 2 * SECOND


def test_few_boots_are_remembered() -> None:
    clock = clock_at(5 * HOUR)
    for number in range(100):
        clock.hello(str(number).encode(), 0, NOW)
    late = clock.place(BOOT, 0, SECOND, NOW + HOUR)
    assert late == Placed(NOW + HOUR - SECOND, Placement.BY_ARRIVAL)  # forgotten, so placed by its arrival


def test_what_was_sampled_before_a_pause_is_placed_as_known_then_and_marked() -> None:
    clock = clock_at(100 * SECOND)
    clock.hello(BOOT, 110 * SECOND, NOW + 8 * HOUR)
    placed = clock.place(BOOT, 104 * SECOND, 105 * SECOND, NOW + 8 * HOUR)
    assert placed.wall_ns in near(NOW + 4 * SECOND)
    assert placed.placement is Placement.ESTIMATED
    assert clock.place(BOOT, 111 * SECOND, 112 * SECOND, NOW + 9 * HOUR).placement is Placement.EXACT


def stretch(wall_ns: int, elapsed_ns: int = 0, boot_id: bytes = EARLIER) -> ClockStretch:
    return ClockStretch(boot_id=boot_id, elapsed_ns=elapsed_ns, wall_ns=wall_ns)


def placed_of_earlier_boot(*stretches: ClockStretch, tag: int = 10) -> Placed:
    """A second of a boot that was over before this one began, five hours before NOW."""
    clock = DeviceClock()
    clock.hello(BOOT, 5 * HOUR, NOW, stretches)
    return clock.place(EARLIER, tag * SECOND, (tag + 1) * SECOND, NOW)


def test_an_earlier_boot_is_placed_by_the_devices_own_clock() -> None:
    began = NOW - 8 * HOUR
    assert placed_of_earlier_boot(stretch(began)) == Placed(began + 10 * SECOND, Placement.ESTIMATED)
    woke_in_1970 = (stretch(3 * SECOND), stretch(began + HOUR, elapsed_ns=HOUR))
    assert placed_of_earlier_boot(*woke_in_1970) == Placed(began + 10 * SECOND, Placement.ESTIMATED)


def test_a_clock_that_cannot_be_right_is_not_gone_by() -> None:
    by_arrival = Placed(NOW - SECOND, Placement.BY_ARRIVAL)
    assert placed_of_earlier_boot(stretch(0)) == by_arrival
    assert placed_of_earlier_boot(stretch(NOW + HOUR)) == by_arrival
    assert placed_of_earlier_boot(stretch(NOW - 4 * HOUR)) == by_arrival  # this boot went on by then


def test_boots_follow_one_another() -> None:
    """The first boot's clock shows a time at which the second went on, which was wrong therefore."""
    first = (stretch(NOW - 9 * HOUR), stretch(NOW - 7 * HOUR, elapsed_ns=SECOND))
    second = stretch(NOW - 8 * HOUR, boot_id=b"the second boot")
    assert placed_of_earlier_boot(*first, second) == Placed(NOW - 9 * HOUR + 10 * SECOND, Placement.ESTIMATED)


def test_an_earlier_boot_is_over_when_the_next_begins() -> None:
    placed = placed_of_earlier_boot(stretch(NOW - 6 * HOUR), tag=2 * 3600)
    assert placed == Placed(NOW - 5 * HOUR - SECOND, Placement.BY_ARRIVAL)


def test_a_boot_placed_by_arrival_is_placed_anew_once_its_hello_is_heard() -> None:
    clock = DeviceClock()
    clock.place(BOOT, 0, SECOND, NOW)
    clock.hello(BOOT, HOUR, NOW)
    placed = clock.place(BOOT, 0, SECOND, NOW + SECOND)
    assert placed.wall_ns in near(NOW - HOUR)
    assert placed.placement is Placement.EXACT
