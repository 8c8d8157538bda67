"""Values as people read them: with a fitting unit, and as many digits as their spread bears."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgeprof_collector.analysis.verdict import Figure, Interval

# Per unit: from what value on which other unit is used, and its size.
_STEPS: dict[str, Sequence[tuple[float, float, str]]] = {
    "s": ((1.0, 1.0, "s"), (1e-3, 1e-3, "ms"), (0.0, 1e-6, "µs")),
    "J/token": ((0.01, 1.0, "J/token"), (0.0, 1e-3, "mJ/token")),
    "bytes/s": ((1e9, 1e9, "GB/s"), (0.0, 1e6, "MB/s")),
    "bytes": ((2**30, 2**30, "GiB"), (2**20, 2**20, "MiB"), (2**10, 2**10, "KiB"), (0.0, 1.0, "B")),
    "ratio": ((0.0, 0.01, "%"),),
    "hertz": ((1e9, 1e9, "GHz"), (0.0, 1e6, "MHz")),
}
_LEAST_DIGITS, _MOST_DIGITS = 3, 4


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of one figure are written, so that they can be compared: one unit, one number of decimals."""

    unit: str
    unit_size: float
    decimals: int

    def number(self, value: float) -> str:
        """The value without its unit."""
        return f"{value / self.unit_size:,.{self.decimals}f}"

    def three_digits(self, value: float) -> str:
        """The value without its unit, with three digits of its own."""
        return f"{value / self.unit_size:,.{_decimals(abs(value) / self.unit_size, 0.0)}f}"

    def text(self, value: float) -> str:
        """The value with its unit."""
        return f"{self.number(value)} {self.unit}".strip()

    def range(self, interval: Interval) -> str:
        """Both ends, without the unit."""
        return f"{self.number(interval.low)} – {self.number(interval.high)}"  # noqa: RUF001 - an en dash is meant


def scale_of(value: float, unit: str, spread: float = 0.0) -> Scale:
    """The scale on which ``value`` has a readable size and ``spread``, if any, two digits."""
    steps = _STEPS.get(unit, ((0.0, 1.0, unit),))
    _, size, name = next((step for step in steps if abs(value) >= step[0]), steps[-1])
    return Scale(name, size, _decimals(abs(value) / size, spread / size))


def figure_scale(figure: Figure) -> Scale:
    """The scale for a figure's median, interval and quartiles."""
    spread = figure.interval.high - figure.interval.low if figure.interval else 0.0
    return scale_of(figure.median, figure.unit, spread)


def bytes_text(count: float) -> str:
    """A number of bytes in the largest fitting binary unit."""
    return scale_of(count, "bytes").text(count)


def text_of(value: float, unit: str) -> str:
    """A single value with its unit, three digits."""
    return scale_of(value, unit).text(value)


def count_text(count: int) -> str:
    """A large count in thousands, millions or billions."""
    for size, name in ((1e9, " billion"), (1e6, " million")):
        if count >= size:
            return f"{count / size:.3g}{name}"
    return f"{count:,}"


def _decimals(value: float, spread: float) -> int:
    """Decimals that give ``spread`` two digits, and ``value`` at least three and at most four."""
    if value <= 0:
        return 0
    magnitude = math.floor(math.log10(value)) + 1
    wanted = 1 - math.floor(math.log10(spread)) if spread > 0 else 0
    return max(min(max(wanted, _LEAST_DIGITS - magnitude), _MOST_DIGITS - magnitude), 0)
