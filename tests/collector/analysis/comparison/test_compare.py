"""What a comparison answers, refuses and warns of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.run import RunState, VariantMemory
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.comparison.compare import compare
from edgeprof_collector.analysis.comparison.correction import holm
from edgeprof_collector.analysis.comparison.result import Answer, Aspect, Comparison, Method
from edgeprof_collector.analysis.comparison.side import RunData
from edgeprof_collector.analysis.series import collect_series
from tests.collector.analysis.sample_run import TWO_VARIANTS, Scenario, sample_run, with_repetitions

from .sides import run_of, variants_of

STEADY = (100.0, 100.4, 99.7, 100.1, 99.9, 100.2, 99.8, 100.3)


def _times(factor: float, values: Sequence[float] = STEADY) -> list[float]:
    """The values times a factor, in another order so that they are not the same measurement."""
    return [value * factor for value in (*values[3:], *values[:3])]


def _answers(comparison: Comparison) -> list[Answer]:
    return [change.answer for change in comparison.changes]


def _real(scenario: Scenario, run_id: str) -> RunData:
    record, telemetry = sample_run(scenario)
    series = collect_series(telemetry)
    verdict = replace(analyse(record, series), run_id=run_id)
    return RunData(verdict=verdict, series=series, steps=record.started.plan.steps)


def test_better_worse_and_no_difference() -> None:
    base = run_of([STEADY, STEADY, STEADY], "base")
    candidate = run_of([_times(1.1), _times(0.9), _times(1.0)], "candidate")

    comparison = compare([base], [candidate])

    assert _answers(comparison) == [Answer.BETTER, Answer.WORSE, Answer.NO_DIFFERENCE]
    faster = comparison.changes[0]
    assert faster.change_ratio == pytest.approx(0.1)
    assert faster.interval is not None
    assert faster.interval.low < 0.1 < faster.interval.high
    assert faster.method is Method.REPETITIONS
    assert any("different times" in note for note in comparison.notes)


def test_variants_of_a_run_are_pairs() -> None:
    """What slows both variants of a repetition down falls out."""
    weather = (1.0, 0.7, 1.2, 0.9, 1.1, 0.8, 1.3, 0.95)
    base = [value * each for value, each in zip(STEADY, weather, strict=True)]
    candidate = [value * 0.96 for value in base]

    paired = compare(*([run] for run in variants_of([base], [candidate])))
    separate = compare([run_of([base], "base")], [run_of([candidate], "candidate")])

    assert paired.changes[0].method is Method.PAIRS
    assert _answers(paired) == [Answer.WORSE]
    assert _answers(separate) == [Answer.CANNOT_TELL]
    assert ["one process all the time" in note for note in paired.notes] == [True]


def test_pairs_of_fresh_processes_have_what_those_differ_in() -> None:
    """Of runs of which one has fresh processes and one has none that is told too."""
    old, new = (replace(run, fresh_processes=True) for run in variants_of([STEADY], [_times(1.0)]))
    lasting = run_of([_times(1.0)], "lasting")

    assert compare([old], [new]).notes == ()
    (difference,) = compare([lasting], [replace(run_of([STEADY], "fresh"), fresh_processes=True)]).differences
    assert (difference.name, difference.base) == ("processes", "the same in all repetitions")


@pytest.mark.parametrize(("pairs", "answer"), [(5, Answer.CANNOT_TELL), (6, Answer.WORSE)])
def test_five_pairs_show_nothing(pairs: int, answer: Answer) -> None:
    first, second = variants_of([STEADY[:pairs]], [[value / 2 for value in STEADY[:pairs]]])

    (change,) = compare([first], [second]).changes

    assert change.answer is answer
    assert bool(change.reason) is (answer is Answer.CANNOT_TELL)


def test_too_few_pairs_for_so_many_steps_say_so() -> None:
    halved = [value / 2 for value in STEADY[:6]]
    first, second = variants_of([STEADY[:6]] * 6, [halved] * 6)

    comparison = compare([first], [second])

    assert set(_answers(comparison)) == {Answer.CANNOT_TELL}
    assert {change.smallest_visible_ratio for change in comparison.changes} == {None}
    assert "when 6 figures are tested" in comparison.changes[0].reason


def test_cannot_tell_is_not_no_difference() -> None:
    wild = (100.0, 60.0, 140.0, 90.0, 110.0, 75.0, 125.0, 101.0)

    (change,) = compare([run_of([wild], "base")], [run_of([_times(1.0, wild)], "candidate")]).changes

    assert change.answer is Answer.CANNOT_TELL
    assert change.smallest_visible_ratio is not None
    assert change.smallest_visible_ratio > 0.2


def test_a_change_of_next_to_nothing_is_none() -> None:
    (change,) = compare([run_of([[100.0] * 8], "base")], [run_of([[100.1] * 8], "candidate")]).changes

    assert change.probability is not None
    assert change.probability < 0.01
    assert change.answer is Answer.NO_DIFFERENCE


def test_groups_of_runs_are_compared_run_by_run() -> None:
    """Each run is steady in itself, but runs differ: only whole runs may be counted."""
    levels = (1.0, 1.2, 0.9, 1.1, 0.8)
    base = [run_of([_times(level)], f"base-{level}") for level in levels]
    candidate = [run_of([_times(level * 1.05)], f"candidate-{level}") for level in levels]

    (change,) = compare(base, candidate).changes

    assert (change.method, change.base_count, change.answer) == (Method.RUNS, 5, Answer.CANNOT_TELL)


def test_memory_energy_and_latencies_are_compared_like_speed() -> None:
    plan = with_repetitions(Scenario().plan, 8)
    base = _real(Scenario(plan=plan), "base")
    hungrier = Scenario(plan=plan, decode_watts=30.0, prefill_watts=45.0, peak_resident_bytes=1_300 * 2**20)

    comparison = compare([base], [_real(hungrier, "candidate")])

    worse = {change.subject.aspect for change in comparison.changes if change.answer is Answer.WORSE}
    assert worse == {Aspect.ENERGY, Aspect.MEMORY}
    unchanged = {change.subject.aspect for change in comparison.changes if change.answer is Answer.NO_DIFFERENCE}
    assert {Aspect.DECODE, Aspect.PREFILL, Aspect.TTFT} <= unchanged


@pytest.mark.parametrize(("marks", "compared"), [(2, True), (1, False)])
def test_memory_of_variants_is_compared_where_each_had_its_own_process(marks: int, compared: bool) -> None:
    record, telemetry = sample_run(Scenario(plan=with_repetitions(TWO_VARIANTS, 8)))
    told = [VariantMemory(run_id="r", variant=each, repetition=7, peak_resident_bytes=2**30) for each in range(marks)]
    series, steps = collect_series(telemetry), record.started.plan.steps
    verdict = analyse(replace(record, variant_memory=tuple(told)), series)
    both = [RunData(verdict=verdict, series=series, steps=steps, variant=name) for name in ("f16", "q8_0")]

    memory = [each for each in compare([both[0]], [both[1]]).changes if each.subject.aspect is Aspect.MEMORY]

    assert [variant.peak_resident_bytes for variant in verdict.variants] == [2**30, 2**30 if compared else None]
    assert [(each.subject.title, each.base_count) for each in memory] == ([("peak memory", 8)] if compared else [])


def test_memory_on_a_gpu_is_compared_too() -> None:
    record, telemetry = sample_run(Scenario(plan=with_repetitions(Scenario().plan, 8)))
    series = collect_series(telemetry)
    resident = next(each for each in series if each.channel.metric == "edgeprof_workload_resident_bytes")
    held = resident.channel._replace(metric="edgeprof_workload_gpu_memory_bytes", labels=(("gpu", "gpu0"),))
    sides = [
        RunData(
            verdict=replace(analyse(record, series), run_id=run_id),
            series=(*series, replace(resident, channel=held, values=resident.values * factor)),
            steps=record.started.plan.steps,
        )
        for run_id, factor in (("base", 1.0), ("candidate", 1.5))
    ]

    (change,) = [each for each in compare(sides[:1], sides[1:]).changes if each.subject.scope == "gpu0"]

    assert (change.subject.title, change.answer) == ("peak device memory", Answer.WORSE)
    assert change.change_ratio == pytest.approx(0.5)


def test_several_variants_are_compared_by_name() -> None:
    scenario = Scenario(plan=with_repetitions(TWO_VARIANTS, 8))

    comparison = compare([_real(scenario, "base")], [_real(scenario, "candidate")])

    assert {change.subject.variant for change in comparison.changes if change.subject.step} == {"f16", "q8_0"}
    with pytest.raises(EdgeprofError, match="name one, as in base:f16"):
        compare([_real(scenario, "base")], [_real(Scenario(), "candidate")], across=True)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("device", lambda verdict: replace(verdict, device=replace(verdict.device, device_id="other"))),
        ("model", lambda verdict: replace(verdict, model=replace(verdict.model, sha256="0" * 64))),
        ("plan", lambda verdict: replace(verdict, plan_name="other")),
    ],
)
def test_what_is_not_alike_is_refused_or_labelled(what: str, change: Any) -> None:
    base, other = run_of([STEADY], "base"), run_of([STEADY], "candidate")
    candidate = replace(other, verdict=change(other.verdict))

    with pytest.raises(EdgeprofError, match=rf"differ in {what} .*--across"):
        compare([base], [candidate])
    comparison = compare([base], [candidate], across=True)

    assert [each.name for each in comparison.differences if each.across] == [what]
    assert comparison.notes[0].startswith(f"Different {what}")


def test_what_may_be_the_cause_is_shown() -> None:
    base, other = run_of([STEADY], "base"), run_of([STEADY], "candidate")
    newer = replace(other, verdict=replace(other.verdict, engine=replace(other.verdict.engine, version="9.9")))

    (difference,) = compare([base], [newer]).differences

    assert (difference.name, difference.candidate, difference.across) == ("engine version", "9.9", False)


def test_the_same_run_twice_is_refused() -> None:
    with pytest.raises(EdgeprofError, match="both sides"):
        compare([run_of([STEADY])], [run_of([STEADY])])


def test_a_run_that_failed_is_named() -> None:
    other = run_of([_times(1.0)], "candidate")
    failed = replace(other, verdict=replace(other.verdict, state=RunState.FAILED, cause="out of memory"))

    assert "candidate failed: out of memory" in compare([run_of([STEADY], "base")], [failed]).notes


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()
