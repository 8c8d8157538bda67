"""The waits between attempts to connect."""

import pytest

from edgeprof_agent.uplink.backoff import Backoff


def test_waits_grow_to_a_minute_and_begin_anew_after_a_reset() -> None:
    backoff = Backoff(uniform=lambda _low, _high: 1.0)
    waits = [backoff.next_seconds() for _ in range(12)]
    assert waits[:3] == pytest.approx([1.0, 1.6, 2.56])
    assert waits[-1] == 60.0
    backoff.reset()
    assert backoff.next_seconds() == 1.0


def test_waits_are_spread_by_a_fifth_either_way() -> None:
    assert Backoff(uniform=lambda low, _high: low).next_seconds() == pytest.approx(0.8)
    assert Backoff(uniform=lambda _low, high: high).next_seconds() == pytest.approx(1.2)
    assert len({Backoff().next_seconds() for _ in range(10)}) > 1
