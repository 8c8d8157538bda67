"""Limits: how they are written, and what breaks them."""

from collections.abc import Sequence

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.gate import Limit, Outcome, read_limits, rule
from edgeprof_collector.analysis.comparison.result import Aspect

from .sides import run_of

STEADY = (100.0, 100.4, 99.7, 100.1, 99.9, 100.2, 99.8, 100.3)
WILD = (100.0, 60.0, 140.0, 90.0, 110.0, 75.0, 125.0, 101.0)


def test_limits_as_they_are_written() -> None:
    assert read_limits("decode:-3%, energy:+5.5%,ttft") == (
        Limit(Aspect.DECODE, -0.03),
        Limit(Aspect.ENERGY, 0.055),
        Limit(Aspect.TTFT),
    )
    assert read_limits("") == ()
    assert [limit.text for limit in read_limits("decode:-3%,ttft")] == ["decode:-3%", "ttft"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("decode:3%", "write decode:-3%"),
        ("energy:-5%", r"write energy:\+5%"),
        ("speed", "name one of prefill, decode"),
        ("decode:-3", "is no limit"),
        ("fidelity:-2%", "write fidelity"),
        ("decode,,ttft", "is no limit"),
    ],
)
def test_limits_that_are_not_understood(text: str, message: str) -> None:
    with pytest.raises(EdgeprofError, match=message):
        read_limits(text)


@pytest.mark.parametrize(
    ("values", "factor", "limits", "outcome"),
    [
        (STEADY, 0.95, "decode:-3%", Outcome.BROKEN),
        (STEADY, 0.95, "decode", Outcome.BROKEN),
        (STEADY, 0.98, "decode:-3%", Outcome.KEPT),
        (STEADY, 0.97, "decode:-3.05%", Outcome.CANNOT_TELL),
        (STEADY, 1.0, "decode", Outcome.KEPT),
        (STEADY, 1.5, "decode:-3%", Outcome.KEPT),
        (WILD, 1.0, "decode:-3%", Outcome.CANNOT_TELL),
        (WILD[:4], 0.5, "decode:-3%", Outcome.CANNOT_TELL),
        (STEADY, 1.0, "energy", Outcome.CANNOT_TELL),
    ],
)
def test_outcomes(values: Sequence[float], factor: float, limits: str, outcome: Outcome) -> None:
    turned = [value * factor for value in (*values[3:], *values[:3])]
    comparison = compare([run_of([values], "base")], [run_of([turned], "candidate")])

    (ruling,) = rule(comparison, read_limits(limits))

    assert ruling.outcome is outcome
