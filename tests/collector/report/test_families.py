"""Verdict and page of a run on every family of device."""

import io

import pytest
from rich.console import Console

from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.report.html import render
from edgeprof_collector.report.text import print_verdict
from tests.collector.analysis.device_families import NAMES, family_run

from .test_html import Page


def lines_of(name: str, width: int = 80) -> list[str]:
    output = io.StringIO()
    print_verdict(analyse(*family_run(name)), Console(file=output, width=width))
    return output.getvalue().splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_fits_a_terminal(name: str) -> None:
    lines = lines_of(name)
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_well_formed_and_small(name: str) -> None:
    record, series = family_run(name)
    text = render(record, series, analyse(record, series))
    Page(text)
    assert len(text) < 1_000_000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "nvidia-jetson-orin-nano__jetpack-6.2__15w-root",
            [
                "Ran on igpu, Orin Nano 8GB Super GPU",
                "Energy VDD_IN: 1,244 J in the run, 4.41 W idle, power integrated, new every 100 ms",
                "Held back igpu by heat: in 20 of 20 repetitions, 43.1 s of their 43.1 s",
                "decode 48 at 61 °C, 612 MHz, 15.2 W synthetic",
            ],
        ),
        (
            "nvidia",
            [
                "Ran on gpu0, NVIDIA GeForce RTX 4080 SUPER",
                "gpu0: 5,821 J in the run, 20.2 W idle, counter, new every 100 ms",
                "Held back gpu0 by the power limit: in 20 of 20 repetitions, 43.1 s of their 43.1 s",
            ],
        ),
        (
            "amd-rx-vega-56__ubuntu-22.04__load",
            ["Energy amd0: 13,334 J in the run, power integrated, new every 1.00 s"],
        ),
        (
            "nvidia-jetson-nano__jetpack-4.6__5w-root",
            ["Held back never in a repetition, say cpu, igpu", "Energy POM_5V_IN: 394 J in the run, 1.39 W idle"],
        ),
    ],
)
def test_the_verdict_says_what_ran_it_what_it_took_and_what_held_it_back(name: str, expected: list[str]) -> None:
    text = "\n".join(" ".join(line.split()) for line in lines_of(name, width=130))
    for each in expected:
        assert each in text


def test_formulas_say_how_joules_came_about() -> None:
    integrated = " ".join(" ".join(lines_of("nvidia-jetson-nano__jetpack-4.6__5w-root")).split())
    assert "power integrated (trapezoids between samples) from first to last token" in integrated
    assert "counter difference" not in integrated
