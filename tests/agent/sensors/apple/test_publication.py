"""Counters that are updated when their drivers like."""

from edgeprof_agent.sensors.apple.publication import PublishedCounter

SECOND_NS = 1_000_000_000


def s(seconds: float) -> int:
    return round(seconds * SECOND_NS)


def taken(*updates: tuple[int, float | None, float]) -> PublishedCounter:
    counter = PublishedCounter()
    for gained, published, observed in updates:
        counter.take(gained, None if published is None else s(published), s(observed))
    return counter


def test_a_rate_is_that_between_two_updates_however_often_it_is_looked_at() -> None:
    counter = taken((0, 99.0, 100.0))
    assert counter.rate() is None
    for tick in range(1, 11):
        counter.take(0, s(99.0), s(100 + tick / 10))
    counter.take(61_770, s(101.13), s(101.2))
    assert counter.rate() == 61_770 / 2.13
    for tick in range(1, 21):
        counter.take(0, s(101.13), s(101.2 + tick / 10))
        assert counter.rate() == 61_770 / 2.13
    counter.take(20_000, s(103.13), s(103.3))
    assert counter.rate() == 10_000
    assert counter.total == 81_770


def test_the_small_update_behind_a_large_one_counts_with_the_next() -> None:
    counter = taken((0, 10.0, 10.0), (2000, 12.0, 12.005), (9, 12.02, 12.1))
    assert counter.rate() == 1000
    counter.take(1991, s(14.0), s(14.1))
    assert counter.rate() == 1000
    assert counter.total == 4000


def test_a_counter_without_updates_has_no_rate_after_ten_seconds() -> None:
    counter = taken((0, 10.0, 10.0), (100, 11.0, 11.0))
    counter.take(0, s(11.0), s(20.9))
    assert counter.rate() == 100
    counter.take(0, s(11.0), s(21.1))
    assert counter.rate() is None
    assert counter.total == 100


def test_a_counter_that_is_stamped_and_does_not_grow_has_a_rate_of_nothing() -> None:
    assert taken((0, 10.0, 10.0), (0, 11.0, 11.0)).rate() == 0


def test_without_stamps_an_update_is_when_growth_is_seen() -> None:
    counter = taken((0, None, 10.0), (0, None, 11.0), (0, None, 12.0), (3000, None, 13.0), (0, None, 14.0))
    assert counter.rate() == 1000
    counter.take(3000, None, s(15.0))
    assert counter.rate() == 1500


def test_stamps_of_another_clock_are_given_up_for_good() -> None:
    counter = taken((0, 500.0, 10.0), (100, 501.0, 11.0), (100, 12.0, 12.0))
    assert counter.rate() == 100
    stuck = taken((0, 1.0, 10.0), (100, 1.0, 11.0), (100, 1.0, 12.0))
    assert stuck.rate() == 100


def test_a_counter_that_has_fallen_has_begun_again() -> None:
    counter = taken((0, 10.0, 10.0), (100, 11.0, 11.0), (-5000, 12.0, 12.0))
    assert counter.rate() is None
    assert counter.total == 100
    counter.take(50, s(13.0), s(13.0))
    assert counter.rate() == 50
    assert counter.total == 150
