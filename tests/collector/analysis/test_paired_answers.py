"""Lost and gained answers: the test and the interval against other ways to the same numbers."""

import math
import random

import pytest

from edgeprof_collector.analysis.paired_answers import PairedAnswers, pair_answers


def paired(lost: int, gained: int, *, count: int = 100, right: int = 90) -> PairedAnswers:
    return PairedAnswers(task_count=count, base_right=right, lost=lost, gained=gained)


def test_answers_are_paired_in_their_order() -> None:
    base, other = [True, True, True, False, False], [True, False, False, True, False]
    assert pair_answers(base, other) == paired(2, 1, count=5, right=3)


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (5, 0), (6, 0), (0, 6), (9, 2), (4, 4), (40, 17)])
def test_the_probability_is_that_of_a_fair_coin(lost: int, gained: int) -> None:
    """Summed over the outcomes that are as far from even, or farther."""
    told_apart = lost + gained
    as_far = [heads for heads in range(told_apart + 1) if abs(2 * heads - told_apart) >= abs(lost - gained)]
    expected = sum(math.comb(told_apart, heads) for heads in as_far) / 2**told_apart
    assert paired(lost, gained).probability() == pytest.approx(expected)


def test_six_lost_answers_are_the_fewest_that_show_a_loss() -> None:
    assert paired(5, 0).probability() > 0.05
    assert paired(6, 0).probability() < 0.05


def test_the_interval_of_equal_answers_is_known() -> None:
    """Without a task that tells the two apart Tango's ends are at z^2 / (n + z^2)."""
    low, high = paired(0, 0).interval()
    assert high == pytest.approx(3.8415 / 103.8415, abs=1e-5)
    assert low == pytest.approx(-high)


def test_the_interval_is_tangos() -> None:
    """The example of his paper's table: 44 pairs, of which one side alone has 9 and the other 3."""
    low, high = paired(3, 9, count=44, right=30).interval()
    assert low < 6 / 44 < high
    for change, sign in ((low, 1), (high, -1)):
        assert _score_by_likelihood(44, 3, 9, change) == pytest.approx(sign * 1.95996, abs=1e-3)


def _score_by_likelihood(count: int, lost: int, gained: int, change: float) -> float:
    """The score statistic with its nuisance parameter found by trying all of them."""

    def likelihood(loss: float) -> float:
        cells = [(lost, loss), (gained, loss + change), (count - lost - gained, 1 - 2 * loss - change)]
        return sum(times * math.log(each) for times, each in cells)

    first, last = max(0.0, -change), (1 - change) / 2
    losses = [first + (last - first) * place / 200_000 for place in range(1, 200_000)]
    loss = max(losses, key=likelihood)
    return (gained - lost - count * change) / math.sqrt(count * (2 * loss + change - change**2))


@pytest.mark.parametrize(("lost", "gained"), [(100, 0), (0, 100), (50, 50), (1, 0), (99, 1)])
def test_the_interval_holds_the_change_and_stays_within_all(lost: int, gained: int) -> None:
    low, high = paired(lost, gained, right=lost).interval()
    assert -1 <= low <= (gained - lost) / 100 <= high <= 1


def test_the_visible_loss_is_shown_in_four_of_five_cases() -> None:
    drawn = random.Random(11)
    visible = paired(0, 0).smallest_visible_loss()
    assert visible is not None
    each = visible * 100 / 90
    shown = [paired(sum(drawn.random() < each for _ in range(90)), 0).probability() <= 0.05 for _ in range(4_000)]
    assert 0.77 < sum(shown) / len(shown) < 0.83


def test_where_few_are_right_no_loss_can_be_shown() -> None:
    assert paired(0, 0, right=5).smallest_visible_loss() is None
    assert paired(0, 3, right=8).smallest_visible_loss() is None
    assert paired(0, 0, right=6).smallest_visible_loss() is not None


def test_a_gain_beside_it_hides_a_loss() -> None:
    alone, beside = paired(0, 0).smallest_visible_loss(), paired(0, 4).smallest_visible_loss()
    assert alone is not None
    assert beside is not None
    assert beside > alone
