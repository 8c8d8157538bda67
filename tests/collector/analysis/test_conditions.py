from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edgeprof.catalogue import channel
from edgeprof.run import RunRecord
from edgeprof.telemetry import Channel
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import Series, collect_series
from edgeprof_collector.analysis.verdict import FigureName, Flag, Verdict

from .sample_run import DEVICE, GPU, MODEL, QUICK, SECOND_NS, Scenario, sample_run

DECODE = 1


def judged(scenario: Scenario) -> Verdict:
    record, telemetry = sample_run(scenario)
    return analyse(record, collect_series(telemetry))


def test_each_repetition_has_the_heat_and_clocks_it_was_taken_at() -> None:
    for repetition in judged(Scenario()).steps[DECODE].repetitions:
        conditions = repetition.conditions
        assert conditions.temperature_place == "k10temp Tctl"  # the drive is hotter, but runs no model
        assert conditions.temperature_celsius is not None
        assert 38 < conditions.temperature_celsius < 100
        assert conditions.cpu_clock_hertz == pytest.approx(1.4e9 + 0.9 * 2.4e9, rel=0.01)
        assert conditions.background_cpu_ratio == pytest.approx(0.01, abs=0.005)
        assert repetition.flags == ()


def test_without_telemetry_conditions_are_absent() -> None:
    record, _ = sample_run()
    conditions = analyse(record, ()).steps[DECODE].repetitions[0].conditions
    assert conditions.temperature_celsius is None
    assert conditions.background_cpu_ratio is None


def test_other_processes_make_a_repetition_contended() -> None:
    step = judged(Scenario(background_cpu_ratio=0.12, hertz=20)).steps[DECODE]
    assert len(step.repetitions) == 5
    for repetition in step.repetitions:
        assert [raised.flag for raised in repetition.flags] == [Flag.CONTENDED]
        assert repetition.flags[0].evidence.startswith("other processes took 1")
    assert all(Flag.CONTENDED in figure.flags for figure in step.figures)


def test_a_clock_below_the_best_repetition_is_held_back() -> None:
    plan = replace(QUICK, steps=(*QUICK.steps[:1], replace(QUICK.steps[1], decode_tokens=96)))  # 4 s: 3 samples or more
    record, telemetry = sample_run(Scenario(plan=plan, energy=False))
    third = [phase for phase in record.phases if phase.step and phase.step.step == DECODE][2]
    series = tuple(
        _slowed_during(each, third.start_monotonic_ns, third.end_monotonic_ns) for each in collect_series(telemetry)
    )
    step = analyse(record, series).steps[DECODE]
    flags = [[raised.flag for raised in repetition.flags] for repetition in step.repetitions]
    assert flags == [[], [], [Flag.THROTTLED], [], []]
    assert "80% of the step's best repetition" in step.repetitions[2].flags[0].evidence


def _slowed_during(series: Series, start_ns: int, end_ns: int) -> Series:
    if series.channel.metric != "edgeprof_cpu_frequency_hertz":
        return series
    inside = (series.times_monotonic_ns >= start_ns) & (series.times_monotonic_ns <= end_ns)
    return replace(series, values=np.where(inside, series.values * 0.8, series.values))


def test_a_gpu_that_names_its_reason_is_throttled() -> None:
    verdict = judged(Scenario(device=replace(DEVICE, accelerators=(GPU,))))
    prefill = verdict.steps[0].repetitions[0]
    assert [raised.flag for raised in prefill.flags] == [Flag.THROTTLED]
    assert prefill.flags[0].evidence.startswith("gpu0 held back by the power limit for ")
    assert verdict.steps[DECODE].repetitions[0].flags == ()


def test_an_idle_gpu_is_not_throttled() -> None:
    record, _ = sample_run()
    times = np.arange(record.started.monotonic_ns, record.started.monotonic_ns + 80 * SECOND_NS, SECOND_NS // 10)
    idle = Series(
        channel=channel("edgeprof_gpu_throttled_ratio", "nvml", gpu="gpu0", reason="idle"),
        times_monotonic_ns=times,
        values=np.ones(times.size),
    )
    assert analyse(record, (idle,)).flags == (Flag.SYNTHETIC,)


def test_a_rate_that_falls_over_the_repetitions_drifts() -> None:
    step = judged(Scenario(factors=(1.0, 0.96, 0.93, 0.91, 0.88))).steps[DECODE]
    [raised] = step.flags
    assert raised.flag is Flag.DRIFTING
    assert raised.evidence == "decode rate moved by -12.9% of its median from the first repetition to the last"
    assert [figure.name for figure in step.figures if Flag.DRIFTING in figure.flags] == [FigureName.DECODE_RATE]


def test_synthetic_is_a_flag_of_every_figure_and_of_no_real_model() -> None:
    for synthetic in (True, False):
        verdict = judged(Scenario(model=replace(MODEL, synthetic=synthetic)))
        for step in verdict.steps:
            assert all((Flag.SYNTHETIC in figure.flags) is synthetic for figure in step.figures)


def test_a_repetition_too_short_to_judge_is_not_called_contended() -> None:
    plan = replace(QUICK, steps=(replace(QUICK.steps[0], prompt_tokens=16),))
    step = judged(Scenario(plan=plan, background_cpu_ratio=0.5)).steps[0]
    assert step.repetitions[0].conditions.background_cpu_ratio is None
    assert step.repetitions[0].flags == ()


def test_one_slow_sample_of_a_clock_holds_nothing_back() -> None:
    """A phase of 1.4 s has one or two samples of a clock that is read once a second: they may be from its edges."""
    record, telemetry = sample_run(Scenario(energy=False))
    third = [phase for phase in record.phases if phase.step and phase.step.step == 0][2]
    start_ns, end_ns = third.start_monotonic_ns, third.end_monotonic_ns
    series = tuple(_slowed_during(each, start_ns, end_ns) for each in collect_series(telemetry))
    repetition = analyse(record, series).steps[0].repetitions[2]
    assert repetition.conditions.cpu_clock_hertz == pytest.approx(0.8 * (1.4e9 + 0.98 * 2.4e9), rel=0.01)
    assert repetition.flags == ()


def test_a_clock_is_never_interpolated() -> None:
    """Between two samples of an idle core, a phase of half a second ran at a clock that nobody saw."""
    plan = replace(QUICK, steps=(replace(QUICK.steps[0], prompt_tokens=90),))
    step = judged(Scenario(plan=plan)).steps[0]
    clocks = [repetition.conditions.cpu_clock_hertz for repetition in step.repetitions]
    assert None in clocks
    assert all(clock is None or clock > 3.5e9 for clock in clocks)


def test_filling_the_context_before_a_step_is_not_part_of_a_repetition() -> None:
    record, telemetry = sample_run()
    step = analyse(record, collect_series(telemetry)).steps[2]
    requests = [request for request in record.requests if request.step and request.step.step == 2]
    spans = [(each.start_monotonic_ns, each.end_monotonic_ns) for each in step.repetitions]
    assert spans == [(request.start_monotonic_ns, request.end_monotonic_ns) for request in requests]
    phases = [phase for phase in record.phases if phase.step and phase.step.step == 2]
    assert all(phase.start_monotonic_ns < start for phase, (start, _) in zip(phases, spans, strict=True))


def series_over_run(record: RunRecord, key: Channel, value_at: Callable[[float], float]) -> Series:
    """A series read ten times a second, from a function of the seconds since the run began."""
    offsets = np.arange(0, 100 * SECOND_NS, SECOND_NS // 10)
    values = np.array([value_at(offset / SECOND_NS) for offset in offsets])
    return Series(channel=key, times_monotonic_ns=record.started.monotonic_ns + offsets, values=values)


def test_what_the_kernel_says_of_throttling_is_believed() -> None:
    record, _ = sample_run()
    place = channel("edgeprof_throttled_ratio", "/sys", place="cpu", reason="thermal")
    events = channel("edgeprof_cpu_throttle_events_total", "/sys", package="0", scope="package")
    held_back = series_over_run(record, place, lambda _: 1.0)
    middle = (record.requests[3].start_monotonic_ns + record.requests[3].end_monotonic_ns) // 2
    moment = (middle - record.started.monotonic_ns) / SECOND_NS
    counted = series_over_run(record, events, lambda seconds: 5.0 + (seconds > moment))
    flags = [
        [raised.evidence for raised in repetition.flags]
        for step in analyse(record, (held_back, counted)).steps
        for repetition in step.repetitions
    ]
    assert all(evidence[0].startswith("cpu held back by heat for ") for evidence in flags)
    assert [evidence[1:] for evidence in flags if len(evidence) > 1] == [["CPU package 0 held back by heat 1 time"]]
