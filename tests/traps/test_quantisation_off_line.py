"""An engine whose kernel for one quantisation alone is slow, beside runs of the same shape in others."""

from collections.abc import Mapping

import pytest

from edgeprof.plan import Plan
from edgeprof_collector.analysis.comparison.quantisation_line import quantisation_line
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.verdict import Finding
from edgeprof_collector.client.judging import run_data

from .lab import SPOILT_ENGINE, Lab, Recorded, decode, plan_of, prefill

WIDTHS = ("q4_0", "q8_0", "f16")


def plan(spoilt: str) -> Plan:
    return plan_of(prefill(96), decode(48), repetitions=5, variants={"only": {"spoilt": spoilt}})


def found_in(runs: Mapping[str, Recorded], width: str) -> tuple[Finding, ...]:
    data = {name: run_data(recorded.record, tuple(recorded.series)) for name, recorded in runs.items()}
    return quantisation_line(data.pop(width), tuple(data.values()))


@pytest.fixture(scope="module", params=["slow at 8 bits", "no"])
def measured(request: pytest.FixtureRequest, lab: Lab) -> tuple[bool, dict[str, Recorded]]:
    """Whether the engine is spoilt, and its runs by width."""
    runs = {width: lab.run(plan(request.param), model=f"synth:tiny@{width}", engine=SPOILT_ENGINE) for width in WIDTHS}
    return request.param != "no", runs


def test_a_width_off_its_line_is_found_alone(measured: tuple[bool, dict[str, Recorded]]) -> None:
    is_spoilt, runs = measured
    assert found_in(runs, "q4_0") == found_in(runs, "f16") == ()
    found = found_in(runs, "q8_0")
    assert bool(found) is is_spoilt
    for finding in found:
        assert finding.name is FindingName.QUANTISATION_OFF_LINE
        assert finding.title == "Q8_0 is slower than its bytes explain"
        assert "decode 48 @ 0 (cpu) writes Q8_0 " in finding.evidence
        assert "prefill 96 (cpu) reads Q8_0 " in finding.evidence
        assert " times as long as its bytes explain" in finding.evidence
