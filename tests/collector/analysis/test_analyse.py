from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from edgeprof.run import RunState, StepRef
from edgeprof.telemetry import Gap, GapCause, Placement
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.definitions import DEFINITIONS
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.analysis.verdict import FigureName, Verdict

from .sample_run import MODEL, QUICK, TWO_VARIANTS, Scenario, sample_record, sample_run, with_repetitions

FIGURES_PAGE = Path(__file__).parents[3] / "docs" / "figures.md"


def test_the_same_run_gives_the_same_verdict_twice() -> None:
    record, telemetry = sample_run()
    assert analyse(record, collect_series(telemetry)) == analyse(record, collect_series(telemetry))


def test_a_verdict_is_json_and_back() -> None:
    record, telemetry = sample_run()
    verdict = analyse(record, collect_series(telemetry))
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


def test_the_headline_says_speed_memory_and_that_the_model_is_synthetic() -> None:
    assert analyse(sample_record(), ()).headline == (
        "synth:llama-3.2-1b@q4_0 (synthetic) reads 180 tokens/s, writes 24.0 tokens/s, 1.12 GiB of memory at its peak"
    )


def test_variants_stand_side_by_side_in_the_plans_order() -> None:
    verdict = analyse(sample_record(Scenario(plan=TWO_VARIANTS)), ())
    assert [(step.step, step.variant_name) for step in verdict.steps] == [
        (index, name) for index in range(4) for name in ("f16", "q8_0")
    ]
    fast, slow = (verdict.steps[index].figure(FigureName.DECODE_RATE) for index in (3, 2))
    assert fast is not None
    assert slow is not None
    assert fast.median == pytest.approx(1.2 * slow.median)
    assert [variant.name for variant in verdict.variants] == ["f16", "q8_0"]


@pytest.mark.parametrize("kept", range(1, 14))
def test_a_run_cut_anywhere_is_judged_up_to_the_cut(kept: int) -> None:
    scenario = Scenario(state=RunState.FAILED, cause="the engine was killed by SIGKILL (signal 9)", requests_kept=kept)
    record, telemetry = sample_run(scenario)
    verdict = analyse(record, collect_series(telemetry))
    assert verdict.state is RunState.FAILED
    assert verdict.cause == "the engine was killed by SIGKILL (signal 9)"
    assert sum(len(step.repetitions) for step in verdict.steps) == len({request.step for request in record.requests})


def test_a_run_that_never_ended_says_so() -> None:
    verdict = analyse(sample_record(Scenario(state=None, requests_kept=5)), ())
    assert verdict.state is RunState.RUNNING
    assert verdict.cause == "the device has not told of the run's end"
    assert verdict.duration_seconds > 0


def test_a_run_whose_end_nobody_saw_lasts_until_its_last_event() -> None:
    record = sample_record(Scenario(state=RunState.FAILED, requests_kept=5))
    assert record.finished is not None
    unseen = analyse(replace(record, finished=replace(record.finished, monotonic_ns=None)), ())
    last_ns = max(request.end_monotonic_ns for request in record.requests)
    assert unseen.state is RunState.FAILED
    assert unseen.duration_seconds == (last_ns - record.started.monotonic_ns) / 1e9
    assert not any("contradict" in note for note in unseen.notes)


def test_a_run_of_nothing_but_its_start_is_judged() -> None:
    record = sample_record()
    record = replace(record, ceilings=(), phases=(), loaded=(), requests=(), finished=None)
    verdict = analyse(record, ())
    assert verdict.steps == ()
    assert verdict.headline == "Nothing was measured."


def test_too_few_repetitions_for_an_interval_are_noted() -> None:
    verdict = analyse(sample_record(Scenario(plan=with_repetitions(QUICK, 3))), ())
    assert all(figure.interval is None for step in verdict.steps for figure in step.figures)
    assert any(note.startswith("Too few repetitions for an interval in some steps (3)") for note in verdict.notes)


def test_damaged_and_lost_data_is_noted() -> None:
    record, telemetry = sample_run(Scenario(model=replace(MODEL, synthetic=False)))
    telemetry.frames[5].blocks[0].differences = b"\xff"
    unsound = [
        replace(record.requests[0], step=StepRef(step=99, variant=0, repetition=0)),
        replace(record.requests[0], token_counts=(1, 2, 3)),
        replace(record.requests[0], end_monotonic_ns=0),
    ]
    lost = Gap(first_sequence=10, last_sequence=12, cause=GapCause.SPOOL_FULL)
    record = replace(record, requests=(*record.requests, *unsound), gaps=(lost,))
    verdict = analyse(record, collect_series(telemetry))
    assert verdict.notes == (
        "3 of the run's events contradict themselves or the plan, and are left out.",
        "1 blocks of telemetry could not be read, and are left out.",
        "3 messages of this run never arrived (spool full).",
    )
    assert [step.figures[0].n for step in verdict.steps] == [5, 5, 5, 5]


def test_a_run_whose_date_is_not_sure_is_noted() -> None:
    record, telemetry = sample_run(Scenario(model=replace(MODEL, synthetic=False)))
    series = collect_series(telemetry)
    assert analyse(record, series).notes == ()
    (estimated,) = analyse(replace(record, placement=Placement.ESTIMATED), series).notes
    assert estimated.startswith("The run is dated by the device's own clock")
    (by_arrival,) = analyse(replace(record, placement=Placement.BY_ARRIVAL), series).notes
    assert by_arrival.startswith("When the run took place is not known")


def test_every_figure_is_defined_once_and_on_the_page() -> None:
    assert set(DEFINITIONS) == set(FigureName)
    page = FIGURES_PAGE.read_text(encoding="utf-8")
    for name, definition in DEFINITIONS.items():
        assert f"`{name.value}`" in page
        assert definition.formula in page
