from dataclasses import replace

import numpy as np
import pytest

from edgeprof.catalogue import channel
from edgeprof.plan import Step, StepKind
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.energy_meters import EnergyMeter, energy_meters
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.analysis.verdict import FigureName, Verdict

from .sample_run import DEVICE, QUICK, Scenario, sample_run

PACKAGE, CORE = "rapl package-0", "rapl package-0/core"


def judged(scenario: Scenario) -> Verdict:
    record, telemetry = sample_run(scenario)
    return analyse(record, collect_series(telemetry))


def energy(verdict: Verdict, step: int, name: FigureName) -> dict[str, float]:
    return {figure.scope: figure.median for figure in verdict.steps[step].figures if figure.name is name}


def test_joules_per_token_are_power_over_rate() -> None:
    """At 100 Hz the interpolation at the ends of a phase matters little."""
    verdict = judged(Scenario(hertz=100, jitter=0))
    assert energy(verdict, 0, FigureName.PREFILL_ENERGY) == {
        PACKAGE: pytest.approx(36 / 180, rel=0.01),
        CORE: pytest.approx(0.7 * 36 / 180, rel=0.01),
    }
    assert energy(verdict, 1, FigureName.DECODE_ENERGY)[PACKAGE] == pytest.approx(24 / 24, rel=0.01)


def test_prefill_and_decode_of_a_chat_are_kept_apart() -> None:
    verdict = judged(Scenario(hertz=100, jitter=0))
    assert energy(verdict, 3, FigureName.PREFILL_ENERGY)[PACKAGE] == pytest.approx(36 / 180, rel=0.03)
    assert energy(verdict, 3, FigureName.DECODE_ENERGY)[PACKAGE] == pytest.approx(24 / 24, rel=0.03)


def test_rails_name_their_source_and_the_run() -> None:
    rails = judged(Scenario()).energy_rails
    assert [rail.scope for rail in rails] == [PACKAGE, CORE]
    assert rails[0].refresh_seconds == pytest.approx(0.1)
    assert rails[0].run_joules is not None
    assert rails[1].run_joules == pytest.approx(0.7 * rails[0].run_joules, rel=1e-3)


def test_a_phase_shorter_than_the_counter_can_see_says_so() -> None:
    plan = replace(QUICK, steps=(Step(kind=StepKind.PREFILL, name="prefill 16", prompt_tokens=16),))
    step = judged(Scenario(plan=plan, prefill_rate=180)).steps[0]
    assert step.figure(FigureName.PREFILL_ENERGY) is None
    [package, _] = [absent for absent in step.absent if absent.name is FigureName.PREFILL_ENERGY]
    assert package.reason == "too short: 0.0889 s, and the counter changes every 0.1 s"


def test_without_a_counter_there_is_no_energy() -> None:
    verdict = judged(Scenario(energy=False))
    assert verdict.energy_rails == ()
    assert energy(verdict, 1, FigureName.DECODE_ENERGY) == {}


def counter(times_ms: list[int], joules: list[float]) -> Series:
    return Series(
        channel=channel("edgeprof_gpu_energy_joules_total", "nvml", gpu="gpu0"),
        times_monotonic_ns=np.array(times_ms, np.int64) * 1_000_000,
        values=np.array(joules),
    )


def meters(series: list[Series]) -> tuple[EnergyMeter, ...]:
    return energy_meters(series, DEVICE)


def test_a_counter_read_more_often_than_it_changes_is_reduced_to_its_changes() -> None:
    times = list(range(0, 1000, 20))
    [found] = meters([counter(times, [time // 100 * 10.0 for time in times])])
    assert found.refresh_seconds == pytest.approx(0.1)
    assert found.joules(150_000_000, 650_000_000) == pytest.approx(50)


def test_a_counter_that_stands_still_counts_nothing() -> None:
    assert meters([counter([0, 100, 200], [5.0, 5.0, 5.0])]) == ()


def test_a_reset_gives_no_joules() -> None:
    [found] = meters([counter([0, 100, 200, 300, 400], [10, 20, 1, 11, 21])])
    assert found.joules(50_000_000, 350_000_000) is None
    assert found.joules(250_000_000, 350_000_000) == pytest.approx(10)


def test_lost_telemetry_is_not_bridged() -> None:
    times = [0, 100, 200, 300, 1000, 1100, 1200]
    [found] = meters([counter(times, [time / 10 for time in times])])
    assert found.joules(150_000_000, 600_000_000) is None
    assert found.joules(150_000_000, 1_050_000_000) == pytest.approx(90)
