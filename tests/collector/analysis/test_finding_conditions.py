"""Findings on what the device was like, from runs whose truth is known."""

from dataclasses import replace

import pytest

from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.analysis.verdict import Finding, Severity

from .sample_run import DEVICE, GPU, MODEL, OPTIONS, QUICK, Scenario, sample_record, sample_run, with_repetitions


def found(scenario: Scenario, name: FindingName) -> list[Finding]:
    return [each for each in analyse(sample_record(scenario), ()).findings if each.name is name]


@pytest.mark.parametrize(
    ("mode", "is_slow"),
    [
        ("15W (4 cores, CPU 1500 MHz, GPU 625 MHz)", True),
        ("MODE_30W", True),
        ("low-power", True),
        ("MAXN", False),
        ("MAXN_SUPER", False),
        ("balanced", False),
        (None, False),
    ],
)
def test_a_mode_that_limits_the_device_is_named(mode: str | None, is_slow: bool) -> None:
    device = replace(DEVICE, power_mode=mode, power_limits_watts={"package-0 long_term": 15.0})
    raised = found(Scenario(device=device), FindingName.POWER_MODE)
    assert bool(raised) is is_slow
    for finding in raised:
        assert finding.evidence == f"the power mode is {mode}; limits: package-0 long_term 15.0 W"


def test_a_run_on_the_battery_is_named() -> None:
    [finding] = found(Scenario(device=replace(DEVICE, power_source="battery")), FindingName.POWER_MODE)
    assert finding.evidence == "the device runs on its battery"


@pytest.mark.parametrize(
    ("layers", "severity"), [("7", Severity.WARNING), ("16", Severity.WARNING), ("0", Severity.NOTE)]
)
def test_layers_that_stayed_on_the_cpu_are_counted(layers: str, severity: Severity) -> None:
    scenario = Scenario(device=replace(DEVICE, accelerators=(GPU,)), options={**OPTIONS, "gpu_layers": layers})
    [finding] = found(scenario, FindingName.PARTLY_OFFLOADED)
    assert finding.severity is severity
    assert finding.evidence == (
        f"{layers} of its 17 layers (the output is one) were on a GPU; gpu0 (NVIDIA RTX A2000) has 6.00 GiB of memory, "
        "the model file has 735 MiB"
    )


@pytest.mark.parametrize("layers", ["17", "99", "-1"])
def test_a_model_that_is_all_on_the_gpu_is_no_finding(layers: str) -> None:
    scenario = Scenario(device=replace(DEVICE, accelerators=(GPU,)), options={**OPTIONS, "gpu_layers": layers})
    assert MODEL.layer_count == 16
    assert found(scenario, FindingName.PARTLY_OFFLOADED) == []


def test_a_rate_that_moves_all_the_time_had_not_settled() -> None:
    plan = with_repetitions(QUICK, 6)
    falling = Scenario(plan=plan, factors=(1.0, 0.97, 0.94, 0.91, 0.88, 0.85))
    raised = found(falling, FindingName.DRIFT)
    assert [finding.severity for finding in raised] == [Severity.NOTE] * len(plan.steps)
    assert raised[0].title == "prefill 256: the rate had not settled"
    assert raised[0].evidence == "prefill rate moved by -16.2% of its median from the first repetition to the last"
    assert found(Scenario(plan=plan), FindingName.DRIFT) == []


def test_a_disturbed_run_says_so_once_instead_of_drifting() -> None:
    scenario = Scenario(background_cpu_ratio=0.3, factors=(1.0, 0.97, 0.94, 0.91, 0.88))
    record, telemetry = sample_run(scenario)
    names = [each.name for each in analyse(record, collect_series(telemetry)).findings]
    assert names.count(FindingName.BUSY_MACHINE) == 1
    assert FindingName.DRIFT not in names


def test_a_first_repetition_that_compiles_is_not_noise() -> None:
    [first, *_] = raised = found(Scenario(factors=(0.4, 1.0, 1.01, 0.99, 1.0)), FindingName.FIRST_CALL)
    assert first.title == "prefill 256: the first repetition is slower than all others"
    assert first.evidence.startswith("72.0 tokens/s in the first repetition, 180 tokens/s in the others, after ")
    assert {finding.severity for finding in raised} == {Severity.NOTE}
