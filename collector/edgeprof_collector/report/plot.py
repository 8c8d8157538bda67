"""Plots as plain shapes that a template draws as SVG.

A plot's area is 1000 by 1000 units and is stretched to whatever space the page gives it; strokes are not stretched, and
ticks and titles are text of the page beside it, so that a plot stays readable from a phone to paper, without scripts.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SIZE = 1000.0
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis, in percent of its length."""

    percent: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis with its title, which names the unit; no title where the ticks do."""

    title: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """An SVG path. ``style`` are its classes in the style sheet; ``tip`` is shown when it is pointed at."""

    path: str
    style: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What a colour means."""

    label: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One plot, ready to be drawn. ``summary`` says the same for who cannot see it."""

    title: str
    summary: str
    x: Axis
    y: Axis
    shapes: tuple[Shape, ...]
    legend: tuple[LegendEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """The values that an axis covers."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Where ``value`` lies, from 0 at the low end to 1 at the high end."""
        return (value - self.low) / (self.high - self.low)

    def axis(self, title: str, *, unit_size: float = 1.0, count: int = 5, suffix: str = "") -> Axis:
        """An axis with about ``count`` round ticks, in units of ``unit_size``; ``suffix`` follows each label."""
        low, high = self.low / unit_size, self.high / unit_size
        step = _nice_step((high - low) / count)
        decimals = next(decimals for decimals in range(13) if abs(round(step, decimals) - step) < step * 1e-6)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        places = [index * step for index in range(first, last + 1)]
        percents = [(place - low) / (high - low) * 100 for place in places]
        labels = [f"{place:,.{decimals}f}{suffix}" for place in places]
        return Axis(title, tuple(map(Tick, percents, labels)))


def whole_numbers(title: str, last: int, count: int = 10) -> tuple[Range, Axis]:
    """The range and axis of things numbered from 1 to ``last``, each in the middle of its place."""
    span = Range(0.5, last + 0.5)
    step = max(1, round(_nice_step(last / count)))
    places = [1, *range(step if step > 1 else 2, last + 1, step)]
    return span, Axis(title, tuple(Tick(span.share(place) * 100, str(place)) for place in places))


@dataclass(frozen=True, slots=True)
class Canvas:
    """Turns values into the units of a plot's area."""

    x: Range
    y: Range

    def line(self, points: Iterable[tuple[float, float]]) -> str:
        """A line through the points."""
        return "M" + "L".join(self._point(x, y) for x, y in points)

    def dot(self, x: float, y: float) -> str:
        """A point; the style sheet's round line caps make it a disc."""
        return f"M{self._point(x, y)}h0"

    def box(self, left: float, right: float, low: float, high: float) -> str:
        """A rectangle, cut to the area."""
        left, right = max(left, self.x.low), min(right, self.x.high)
        low, high = max(low, self.y.low), min(high, self.y.high)
        return (
            f"M{self._point(left, low)}L{self._point(left, high)}L{self._point(right, high)}L{self._point(right, low)}Z"
        )

    def column(self, left: float, right: float) -> str:
        """A rectangle over the whole height."""
        return self.box(left, right, self.y.low, self.y.high)

    def band(self, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> str:
        """The area between two lines."""
        there = list(zip(xs, highs, strict=True))
        back = list(zip(xs, lows, strict=True))[::-1]
        return self.line(there + back) + "Z"

    def _point(self, x: float, y: float) -> str:
        return f"{_short(self.x.share(x) * _SIZE)} {_short((1 - self.y.share(y)) * _SIZE)}"


def range_from_zero(values: Iterable[float]) -> Range:
    """From 0 to a little above the largest value."""
    high = max(values, default=0.0)
    return Range(0.0, high * 1.08 if high > 0 else 1.0)


def range_around(values: Sequence[float], least_ratio: float) -> Range:
    """Around the values, with some air, and no narrower than ``least_ratio`` of their middle."""
    low, high = min(values), max(values)
    middle = (low + high) / 2
    half = max((high - low) / 2 * 1.25, abs(middle) * least_ratio / 2, 1e-9)
    return Range(max(middle - half, 0.0) if low >= 0 else middle - half, middle + half)


def _nice_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return power * next(nice for nice in _NICE if nice * power >= raw * 0.999)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
