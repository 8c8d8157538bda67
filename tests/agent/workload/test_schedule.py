from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest

from edgeprof.plan import Plan, Step, StepKind, Variant
from edgeprof.run import PhaseKind, StepRef
from edgeprof_agent.workload.schedule import Stage, schedule


def plan_with(variants: int, repetitions: int, steps: int = 2) -> Plan:
    return Plan(
        name="plan",
        steps=tuple(Step(kind=StepKind.DECODE, name=f"step {index}", decode_tokens=1) for index in range(steps)),
        variants=tuple(Variant(name=f"variant {index}") for index in range(variants)),
        repetitions=repetitions,
    )


def written(stages: Iterable[Stage]) -> str:
    """Stages in short: ``01a`` is repetition 0 of step 1 of variant a."""
    words = []
    for stage in stages:
        if stage.step is None:
            words.append(stage.kind.value)
        elif stage.kind is PhaseKind.STEP:
            words.append(f"{stage.step.repetition}{stage.step.step}{'abc'[stage.step.variant]}")
        else:
            words.append(f"{stage.kind.value}:{'abc'[stage.step.variant]}")
    return " ".join(words)


@pytest.mark.parametrize("side_by_side", [True, False])
def test_one_variant_is_loaded_once(side_by_side: bool) -> None:
    assert written(schedule(plan_with(1, 2), side_by_side=side_by_side)) == (
        "gate ceiling load:a rest warm_up:a 00a 01a 10a 11a rest unload:a ceiling"
    )


def test_side_by_side_variants_take_turns_at_every_step_in_alternating_order() -> None:
    assert written(schedule(plan_with(2, 3), side_by_side=True)) == (
        "gate ceiling load:a load:b rest warm_up:a warm_up:b "
        "00a 00b 01a 01b 10b 10a 11b 11a 20b 20a 21b 21a "
        "rest unload:a unload:b ceiling"
    )


def test_variants_in_turn_are_unloaded_only_where_another_follows() -> None:
    assert written(schedule(plan_with(2, 2), side_by_side=False)) == (
        "gate ceiling load:a rest warm_up:a 00a 01a "
        "unload:a load:b warm_up:b 00b 01b 10b 11b "
        "unload:b load:a warm_up:a 10a 11a "
        "rest unload:a ceiling"
    )


@pytest.mark.parametrize("side_by_side", [True, False])
def test_every_repetition_of_every_step_of_every_variant_is_run_once(side_by_side: bool) -> None:
    stages = schedule(plan_with(3, 5), side_by_side=side_by_side)
    steps = Counter(stage.step for stage in stages if stage.kind is PhaseKind.STEP)
    assert steps == Counter(
        StepRef(step=step, variant=variant, repetition=repetition)
        for step in range(2)
        for variant in range(3)
        for repetition in range(5)
    )


@pytest.mark.parametrize("fresh_processes", [True, False])
@pytest.mark.parametrize("side_by_side", [True, False])
def test_a_variant_is_loaded_and_warm_whenever_it_runs(side_by_side: bool, fresh_processes: bool) -> None:
    loaded: set[int] = set()
    warm: set[int] = set()
    for stage in schedule(replace(plan_with(3, 4), fresh_processes=fresh_processes), side_by_side=side_by_side):
        variant = stage.step.variant if stage.step else -1
        if stage.kind is PhaseKind.LOAD:
            loaded.add(variant)
        elif stage.kind is PhaseKind.WARM_UP:
            assert variant in loaded
            warm.add(variant)
        elif stage.kind is PhaseKind.STEP:
            assert variant in warm
        elif stage.kind is PhaseKind.UNLOAD:
            loaded.remove(variant)
            warm.discard(variant)
        assert side_by_side or len(loaded) <= 1
    assert not loaded


def test_with_three_variants_each_is_first_and_each_is_last() -> None:
    stages = written(schedule(plan_with(3, 6, steps=1), side_by_side=True))
    assert " 00a 00b 00c 10c 10b 10a 20b 20c 20a 30a 30c 30b 40c 40a 40b 50b 50a 50c " in stages


def test_repetitions_go_on_as_long_as_they_are_wanted() -> None:
    """It is asked when everything before was taken."""
    taken: list[Stage] = []
    asked: list[tuple[int, int]] = []

    def goes_on(repetition: int) -> bool:
        asked.append((repetition, len(taken)))
        return repetition < 3

    for stage in schedule(plan_with(1, 1), side_by_side=True, goes_on=goes_on):
        taken.append(stage)  # noqa: PERF402 - its length is looked at in between
    assert written(taken) == "gate ceiling load:a rest warm_up:a 00a 01a 10a 11a 20a 21a rest unload:a ceiling"
    assert asked == [(0, 5), (1, 7), (2, 9), (3, 11)]


def fresh(variants: int, repetitions: int, steps: int = 2) -> Plan:
    return replace(plan_with(variants, repetitions, steps), fresh_processes=True)


def test_fresh_processes_are_loaded_for_each_repetition_in_the_order_of_its_steps() -> None:
    assert written(schedule(fresh(2, 3), side_by_side=True)) == (
        "gate ceiling load:a load:b rest warm_up:a warm_up:b 00a 00b 01a 01b unload:a unload:b "
        "load:b load:a warm_up:b warm_up:a 10b 10a 11b 11a unload:b unload:a "
        "load:b load:a warm_up:b warm_up:a 20b 20a 21b 21a rest unload:b unload:a ceiling"
    )


def test_fresh_processes_that_do_not_all_fit_follow_each_other() -> None:
    """Not even the variant that comes next again stays."""
    assert written(schedule(fresh(2, 2), side_by_side=False)) == (
        "gate ceiling load:a rest warm_up:a 00a 01a unload:a load:b warm_up:b 00b 01b "
        "unload:b load:b warm_up:b 10b 11b unload:b load:a warm_up:a 10a 11a rest unload:a ceiling"
    )


def test_a_lone_variant_has_a_fresh_process_for_each_repetition_too() -> None:
    assert written(schedule(fresh(1, 2, steps=1), side_by_side=True)) == (
        "gate ceiling load:a rest warm_up:a 00a unload:a load:a warm_up:a 10a rest unload:a ceiling"
    )


@pytest.mark.parametrize("side_by_side", [True, False])
def test_an_unload_belongs_to_the_repetition_of_its_load(side_by_side: bool) -> None:
    stages = list(schedule(fresh(2, 3), side_by_side=side_by_side))
    of_kind = {
        kind: Counter(stage.step for stage in stages if stage.kind is kind)
        for kind in (PhaseKind.LOAD, PhaseKind.WARM_UP, PhaseKind.UNLOAD)
    }
    assert of_kind[PhaseKind.LOAD] == of_kind[PhaseKind.WARM_UP] == of_kind[PhaseKind.UNLOAD]
    assert len(of_kind[PhaseKind.LOAD]) == 6


def test_fresh_processes_end_when_it_is_known_that_others_follow() -> None:
    """The rest at the end needs a loaded model."""
    taken: list[Stage] = []

    def goes_on(repetition: int) -> bool:
        assert all(stage.kind is not PhaseKind.UNLOAD for stage in taken)
        return repetition < 1

    for stage in schedule(fresh(2, 5), side_by_side=True, goes_on=goes_on):
        taken.append(stage)  # noqa: PERF402 - its content is looked at in between
    assert written(taken).endswith("01b rest unload:a unload:b ceiling")
