import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeprof_agent.sampling.cadence import IDLE, Cadence, Due, Schedule, run_cadence

START_NS = 5_000_000_000
MS_NS = 1_000_000


def test_idle_is_once_a_second_for_all_with_frames_of_ten_seconds() -> None:
    assert Cadence(fast_hertz=1, slow_hertz=1, frame_seconds=10, run_id="") == IDLE


def test_a_run_is_ten_times_a_second_for_what_is_fast_with_frames_of_two_seconds() -> None:
    assert run_cadence("r") == Cadence(fast_hertz=10, slow_hertz=1, frame_seconds=2, block_ticks=4, run_id="r")
    assert run_cadence("r", fast_hertz=100).fast_hertz == 100


@pytest.mark.parametrize(
    "cadence",
    [{"fast_hertz": 0}, {"fast_hertz": 101}, {"slow_hertz": -1}, {"frame_seconds": 0}, {"fast_hertz": math.nan}],
)
def test_cadences_that_cannot_be_kept_are_refused(cadence: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="cannot be sampled"):
        Cadence(**cadence)  # type: ignore[arg-type]  # the run's name is no number, and not given


def walk(schedule: Schedule, until_ns: int) -> list[tuple[int, Due]]:
    """Take every tick at its very time."""
    ticks = []
    while (now_ns := schedule.next_ns()) <= until_ns:
        ticks.append((now_ns, schedule.take(now_ns)))
    return ticks


def test_ticks_lie_on_a_grid_from_the_start_on() -> None:
    ticks = walk(Schedule(run_cadence("r"), START_NS), START_NS + 4_000 * MS_NS)
    assert [(now_ns - START_NS) // MS_NS for now_ns, _ in ticks] == list(range(0, 4001, 100))
    assert all(due.fast for _, due in ticks)
    assert [index for index, (_, due) in enumerate(ticks) if due.slow] == [0, 10, 20, 30, 40]
    assert [index for index, (_, due) in enumerate(ticks) if due.frame] == [20, 40]
    assert all(due.lateness_ns == 0 and due.missed_ticks == 0 for _, due in ticks)


def test_nothing_is_due_between_ticks() -> None:
    schedule = Schedule(run_cadence("r"), START_NS)
    schedule.take(START_NS)
    assert schedule.take(START_NS + 99 * MS_NS) == Due(False, False, False, 0, 0)
    assert schedule.next_ns() == START_NS + 100 * MS_NS


def test_lateness_does_not_move_the_grid() -> None:
    schedule = Schedule(run_cadence("r"), START_NS)
    schedule.take(START_NS)
    assert schedule.take(START_NS + 130 * MS_NS) == Due(True, False, False, 30 * MS_NS, 0)
    assert schedule.next_ns() == START_NS + 200 * MS_NS


def test_missed_ticks_are_counted_and_not_made_up_for() -> None:
    schedule = Schedule(run_cadence("r"), START_NS)
    schedule.take(START_NS)
    # of the fast ticks at 100 to 2300 one is taken and 22 are not, of the slow at 1000 and 2000 one is not
    assert schedule.take(START_NS + 2350 * MS_NS) == Due(True, True, True, 2250 * MS_NS, 23)
    assert schedule.next_ns() == START_NS + 2400 * MS_NS
    assert schedule.take(START_NS + 2350 * MS_NS) == Due(False, False, False, 0, 0)


@pytest.mark.parametrize("hertz", [3, 7, 30, 60])
def test_rates_that_do_not_divide_a_second_do_not_drift(hertz: float) -> None:
    cadence = Cadence(fast_hertz=hertz, slow_hertz=1, frame_seconds=1)
    ticks = walk(Schedule(cadence, START_NS), START_NS + 10_000 * MS_NS)
    assert sum(due.fast for _, due in ticks) == 10 * hertz + 1
    assert sum(due.slow for _, due in ticks) == 11
    assert len(ticks) == 10 * hertz + 1  # a slow tick never falls just beside a fast one
    assert all(due.missed_ticks == 0 for _, due in ticks)


def test_frames_close_with_a_tick_whatever_they_last() -> None:
    for frame_seconds in (0.3, 0.7, 3, 7, 30):
        ticks = walk(Schedule(Cadence(fast_hertz=10, frame_seconds=frame_seconds), START_NS), START_NS + 10**11)
        assert len(ticks) == 1001
        assert sum(due.frame for _, due in ticks) == round(100 // frame_seconds)


@given(
    hertz=st.sampled_from([1.0, 3.0, 10.0, 33.3, 100.0]),
    steps_ns=st.lists(st.integers(0, 3_000 * MS_NS), max_size=50),
)
def test_every_tick_is_either_taken_or_counted_as_missed(hertz: float, steps_ns: list[int]) -> None:
    schedule = Schedule(Cadence(fast_hertz=hertz, slow_hertz=hertz, frame_seconds=1e6), START_NS)
    now_ns, taken, missed = START_NS, 0, 0
    for step_ns in [0, *steps_ns]:
        now_ns += step_ns
        due = schedule.take(now_ns)
        assert due.fast is due.slow
        taken += due.fast
        missed += due.missed_ticks
        assert schedule.next_ns() > now_ns
    passed = sum(START_NS + round(index * 1e9 / hertz) <= now_ns for index in range(math.ceil(200 * hertz)))
    assert taken + missed // 2 == passed
