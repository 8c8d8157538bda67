import pytest

from edgeprof_collector.analysis.definitions import figure
from edgeprof_collector.analysis.quantity import bytes_text, count_text, figure_scale, scale_of, text_of
from edgeprof_collector.analysis.verdict import FigureName, Interval, Sample


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (180.4, "tokens/s", "180 tokens/s"),
        (23.96, "tokens/s", "24.0 tokens/s"),
        (12_345.6, "tokens/s", "12,346 tokens/s"),
        (0.0, "tokens/s", "0 tokens/s"),
        (1.234, "s", "1.23 s"),
        (0.0417, "s", "41.7 ms"),
        (0.000_012, "s", "12.0 µs"),
        (16.82e9, "bytes/s", "16.8 GB/s"),
        (0.601, "ratio", "60.1 %"),
        (0.99, "J/token", "0.990 J/token"),
        (0.0042, "J/token", "4.20 mJ/token"),
        (3.68e9, "hertz", "3.68 GHz"),
        (-5.0, "s", "-5.00 s"),
    ],
)
def test_a_value_has_a_fitting_unit_and_three_digits(value: float, unit: str, text: str) -> None:
    assert text_of(value, unit) == text


def test_bytes_are_binary() -> None:
    assert [bytes_text(count) for count in (512, 2048, 735 * 2**20, 3 * 2**30)] == [
        "512 B",
        "2.00 KiB",
        "735 MiB",
        "3.00 GiB",
    ]


def test_large_counts_are_words() -> None:
    assert [count_text(count) for count in (950, 134_515_008, 1_235_814_432)] == ["950", "135 million", "1.24 billion"]


def test_the_spread_decides_the_digits() -> None:
    samples = [Sample(index, 24.0 + offset) for index, offset in enumerate((-0.1, 0.0, 0.1, 0.2, -0.2))]
    scale = figure_scale(figure(FigureName.DECODE_RATE, samples))
    assert scale.text(24.0) == "24.00 tokens/s"
    assert scale.range(Interval(23.8, 24.2)) == "23.80 – 24.20"  # noqa: RUF001 - an en dash is meant


def test_both_ends_of_a_range_have_the_medians_unit() -> None:
    scale = scale_of(0.99, "s", 0.04)
    assert (scale.unit, scale.range(Interval(0.98, 1.02))) == ("ms", "980 – 1,020")  # noqa: RUF001 - likewise


def test_values_of_one_unit_have_three_digits_each() -> None:
    scale = scale_of(0.009, "s")
    assert [scale.three_digits(seconds) for seconds in (0.00903, 0.0973, 1.00897)] == ["9.03", "97.3", "1,009"]
